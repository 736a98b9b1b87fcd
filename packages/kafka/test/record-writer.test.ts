import { describe, expect, it } from "vitest";
import { virtualClock } from "westend/testing";
import { KafkaError } from "../src/errors.ts";
import { encodeRecord } from "../src/record.ts";
import { RecordWriter } from "../src/record-writer.ts";
import { failed, FakeClient } from "./support/fake-client.ts";

const to = (partition: number) => (value: string) =>
  encodeRecord({ topic: "events", partition, value }, undefined);

function open(options: { batchBytes?: number } = {}) {
  const client = new FakeClient();
  const clock = virtualClock();
  const writer = new RecordWriter({
    client,
    clock,
    batchBytes: 1_000_000,
    deliveryTimeout: 30_000,
    ...options,
  });
  return { client, clock, writer };
}

const letters = (text: string) => text.split("");
const codes = (errors: readonly (KafkaError | undefined)[]) => errors.map((error) => error?.code);

describe("the record writer", () => {
  it("writes what is given, and says that it is written", async () => {
    const { client, writer } = open();
    const errors = await writer.write(
      letters("ab")
        .map(to(0))
        .concat(letters("c").map(to(1))),
    );
    expect(errors).toEqual([undefined, undefined, undefined]);
    expect(Object.fromEntries(client.log)).toEqual({ "events:0": ["a", "b"], "events:1": ["c"] });
    expect(client.requests).toHaveLength(1);
  });

  it("has one request at a time, with all that came meanwhile, in order", async () => {
    const { client, writer } = open();
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    client.answer = async (): Promise<"written"> => {
      await gate;
      return "written";
    };
    const writes = letters("abc").map((value) => writer.write([to(0)(value)]));
    await expect.poll(() => client.requests.length).toBe(1);
    const more = letters("def").map((value) => writer.write([to(0)(value)]));
    release();
    await Promise.all([...writes, ...more]);
    expect(client.requests).toEqual([[["a", "b", "c"]], [["d", "e", "f"]]]);
    expect(client.mostAtOnce).toBe(1);
  });

  it("cuts what is more than a batch may hold, and lets a single larger record through", async () => {
    const { client, writer } = open({ batchBytes: 100 });
    await writer.write(["a", "b", "x".repeat(500), "c", "d"].map(to(0)));
    expect(client.requests.map(([batch]) => batch)).toEqual([
      ["a", "b"],
      ["x".repeat(500)],
      ["c", "d"],
    ]);
  });

  it("fails the one record that the broker does not take, and writes the others in order", async () => {
    const { client, writer } = open();
    client.answer = (_batch, values) =>
      values.includes("e") ? failed("MESSAGE_TOO_LARGE") : "written";
    const errors = await writer.write(letters("abcdefgh").map(to(0)));
    expect(codes(errors).map((code) => code ?? "")).toEqual(
      letters("abcdefgh").map((value) => (value === "e" ? "KAFKA_REFUSED" : "")),
    );
    expect(client.log.get("events:0")).toEqual(letters("abcdfgh"));
    expect(errors[4]).toMatchObject({
      topic: "events",
      partition: 0,
      brokerError: "MESSAGE_TOO_LARGE",
      retriable: false,
    });
    expect(errors[4]?.message).toContain("max.message.bytes");
  });

  it("fails the records of a partition that is refused for good, and no others", async () => {
    const { client, writer } = open();
    client.answer = ({ partition }) =>
      partition === 0 ? failed("TOPIC_AUTHORIZATION_FAILED") : "written";
    const errors = await writer.write([to(0)("a"), to(1)("b"), to(0)("c")]);
    expect(codes(errors)).toEqual(["KAFKA_REFUSED", undefined, "KAFKA_REFUSED"]);
    expect(client.log.get("events:1")).toEqual(["b"]);
  });

  it("tries again what is known not to be written, until it is", async () => {
    const { client, clock, writer } = open();
    let tries = 0;
    client.answer = () => (++tries < 4 ? failed("NOT_LEADER_OR_FOLLOWER") : "written");
    const writing = writer.write(letters("ab").map(to(0)));
    await clock.advance(1_000);
    expect(await writing).toEqual([undefined, undefined]);
    expect(client.log.get("events:0")).toEqual(["a", "b"]);
  });

  it("gives up when there is no more time, and says that it may be tried again", async () => {
    const { client, clock, writer } = open();
    client.answer = () => failed("NOT_ENOUGH_REPLICAS");
    const writing = writer.write(letters("ab").map(to(0)));
    await clock.advance(32_000);
    const errors = await writing;
    expect(codes(errors)).toEqual(["KAFKA_NOT_WRITTEN", "KAFKA_NOT_WRITTEN"]);
    expect(errors[0]?.retriable).toBe(true);
  });

  it("does not try again what may have been written: that is for the policy to decide", async () => {
    const { client, writer } = open();
    client.answer = () => failed(undefined, "unknown");
    const errors = await writer.write([to(0)("a")]);
    expect(codes(errors)).toEqual(["KAFKA_OUTCOME_UNKNOWN"]);
    expect(errors[0]?.retriable).toBe(true);
    expect(client.requests).toHaveLength(1);
  });

  it("keeps back what would overtake a record that may be tried again", async () => {
    const { client, writer } = open({ batchBytes: 100 });
    client.answer = (_batch, values) =>
      values.includes("a") ? failed(undefined, "unknown") : "written";
    const errors = await writer.write(
      letters("abcd")
        .map(to(0))
        .concat(letters("x").map(to(1))),
    );
    expect(codes(errors)).toEqual([...Array(4).fill("KAFKA_OUTCOME_UNKNOWN"), undefined]);
    expect(client.log.get("events:0")).toBeUndefined();
  });

  it("waits for a cluster that cannot be reached, and says so when there is no more time", async () => {
    const { client, clock, writer } = open();
    let up = false;
    client.partitions = async () => {
      if (!up) throw new KafkaError("KAFKA_UNREACHABLE", "Nobody is there.");
      return 1;
    };
    const late = writer.write([to(0)("a")]);
    await clock.advance(31_000);
    expect(codes(await late)).toEqual(["KAFKA_NOT_WRITTEN"]);
    const early = writer.write([to(0)("b")]);
    await clock.advance(5_000);
    up = true;
    await clock.advance(2_000);
    expect(await early).toEqual([undefined]);
  });

  it("fails records of a topic that is missing at once, and writes those of others", async () => {
    const { client, writer } = open();
    client.partitions = async (topic) => {
      if (topic === "lost") throw new KafkaError("KAFKA_TOPIC_MISSING", "There is no such topic.");
      return 1;
    };
    const lost = encodeRecord({ topic: "lost", value: "a" }, undefined);
    const errors = await writer.write([lost, to(0)("b")]);
    expect(codes(errors)).toEqual(["KAFKA_NOT_WRITTEN", undefined]);
    expect(errors[0]?.message).toContain("There is no such topic.");
  });

  it("refuses a partition that the topic does not have", async () => {
    const { writer } = open();
    expect(codes(await writer.write([to(7)("a")]))).toEqual(["KAFKA_REFUSED"]);
  });

  it("does not write what nobody waits for any more", async () => {
    const { client, clock, writer } = open();
    client.answer = () => failed("LEADER_NOT_AVAILABLE");
    const controller = new AbortController();
    const writing = writer.write([to(0)("a")], controller.signal);
    await clock.advance(200);
    controller.abort();
    await clock.advance(2_000);
    expect(codes(await writing)).toEqual(["KAFKA_NOT_WRITTEN"]);
    const { length } = client.requests;
    await clock.advance(10_000);
    expect(client.requests).toHaveLength(length);
  });

  it("does not wait for a cluster that cannot be reached, for what nobody waits for any more", async () => {
    const { client, clock, writer } = open();
    client.partitions = async () => {
      throw new KafkaError("KAFKA_UNREACHABLE", "No broker answers.");
    };
    const controller = new AbortController();
    let outcome: (KafkaError | undefined)[] | undefined;
    void writer.write([to(0)("a")], controller.signal).then((errors) => (outcome = errors));
    await clock.advance(2000);
    controller.abort();
    await clock.advance(1500);
    expect(outcome?.map((error) => error?.code)).toEqual(["KAFKA_NOT_WRITTEN"]);
  });

  it("keeps the order of what came while the cluster could not be reached", async () => {
    const { client, clock, writer } = open();
    const answers = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
    let asked = 0;
    client.partitions = () => answers[Math.min(asked++, 1)]!.promise;
    const writes = [writer.write([to(0)("a")])];
    await clock.settle();
    writes.push(writer.write([to(0)("b")]));
    answers[0]!.reject(new KafkaError("KAFKA_UNREACHABLE", "No broker answers."));
    answers[1]!.resolve(1);
    await clock.advance(2000);
    await Promise.all(writes);
    expect(client.log.get("events:0")).toEqual(["a", "b"]);
  });

  it("does not give up, with a record whose time is over, others that have come later", async () => {
    const { client, clock, writer } = open();
    client.answer = () => failed("NOT_ENOUGH_REPLICAS");
    const old = writer.write([to(0)("a")]);
    await clock.advance(28_000);
    // Brokers that are up again, and slow.
    client.answer = async (_batch, _values, timeout) => {
      await new Promise<void>((resolve) => clock.setTimer(resolve, Math.min(timeout, 3000)));
      return timeout < 3000 ? failed(undefined, "unknown") : "written";
    };
    const young = [writer.write([to(0)("b")]), writer.write([to(1)("c")])];
    await clock.advance(25_000);
    expect(codes(await old)).toEqual(["KAFKA_OUTCOME_UNKNOWN"]);
    expect((await Promise.all(young)).flat()).toEqual([undefined, undefined]);
  });

  it("does not keep records waiting for others that cannot be written, and whose time is nearly over", async () => {
    const { client, clock, writer } = open();
    client.answer = ({ partition }) =>
      partition === 0 ? failed("LEADER_NOT_AVAILABLE") : "written";
    const stuck = writer.write([to(0)("a")]);
    await clock.advance(20_000);
    const young = writer.write([to(1)("b")]);
    await clock.advance(2500);
    expect(client.log.get("events:1")).toEqual(["b"]);
    await clock.advance(20_000);
    expect(codes([...(await stuck), ...(await young)])).toEqual(["KAFKA_NOT_WRITTEN", undefined]);
  });

  it("closes its client when what it was writing has ended", async () => {
    const { client, writer } = open();
    const writing = writer.write([to(0)("a")]);
    await writer.close();
    expect(client.closed).toBe(true);
    expect(await writing).toEqual([undefined]);
  });
});
