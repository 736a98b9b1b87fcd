import type { DeadLetter } from "westend";
import { describe, expect, it } from "vitest";
import { describeWith, sharedKafka, uniqueName } from "test-servers/vitest";
import {
  kafkaDeadLetter,
  type KafkaDeadLetterOptions,
  redrive,
  type RedriveOptions,
} from "@westend/kafka";
import { count, readTopic } from "./support/topic.ts";

const bytes = (text: string) => Buffer.from(text);
const SIGNAL = new AbortController().signal;

describe("the options of redrive", () => {
  it("are refused with all mistakes at once", async () => {
    const wrong = { brokers: "localhost:9092", topic: "", by: "", limit: 0 } as RedriveOptions;
    await expect(redrive(wrong)).rejects.toThrow(/3 mistakes/);
  });
});

describeWith("kafka", "redrive", () => {
  const { brokers, admin } = sharedKafka();

  /** Dead letters of messages of a topic with two partitions; their values are given. */
  async function bury(
    values: readonly (string | null)[],
    details: Partial<DeadLetter> = {},
    options: Partial<KafkaDeadLetterOptions> = {},
  ) {
    const [events, topic] = [uniqueName("events"), uniqueName("dlq")] as const;
    await admin.createTopic(events, { partitions: 2 });
    await admin.createTopic(topic, { partitions: 2 });
    const sink = kafkaDeadLetter({ brokers, topic, ...options });
    const letters = values.map((value, index) => ({
      pipeline: "events",
      source: "kafka",
      payload: value === null ? null : bytes(value),
      metadata: {
        topic: events,
        partition: 1,
        offset: BigInt(index),
        timestamp: 1_000,
        key: bytes(`k${value}`),
        rawHeaders: ["trace", "1"].map(bytes),
      },
      key: undefined,
      reason: value?.startsWith("t") ? new TypeError("no") : new RangeError("no"),
      attempts: 2,
      batcher: undefined,
      receivedAt: 1,
      failedAt: 2,
      ...details,
    }));
    await sink.write(letters, SIGNAL);
    await sink.close?.();
    return { events, topic };
  }

  it("writes messages back to where they came from, as they were", async () => {
    const { events, topic } = await bury(["a", "b", null]);
    expect(await redrive({ brokers, topic, by: "ada" })).toEqual({
      redriven: 3,
      left: 0,
      skipped: 0,
      before: 0,
    });
    const records = await readTopic(brokers, events, count(3));
    expect(records.map(({ partition, value }) => [partition, value])).toEqual(
      expect.arrayContaining([
        [1, "a"],
        [1, "b"],
        [1, null],
      ]),
    );
    expect(records.find(({ value }) => value === "a")).toMatchObject({
      key: "ka",
      headers: [["trace", "1"]],
    });
  });

  it("writes none back twice, and leaves a note of who did it", async () => {
    const { events, topic } = await bury(["a", "b", "tc"]);
    const ranges = { brokers, topic, by: "ada", filter: letterOf("RangeError") };
    expect(await redrive(ranges)).toMatchObject({ redriven: 2, left: 1, before: 0 });
    expect(await redrive(ranges)).toMatchObject({ redriven: 0, left: 1, before: 2 });
    expect(await redrive({ brokers, topic, by: "bob" })).toMatchObject({ redriven: 1, before: 2 });
    expect(await readTopic(brokers, events, count(3))).toHaveLength(3);
    const noted = await readTopic(brokers, topic, (seen) => notesIn(seen).includes("bob"));
    expect(new Set(notesIn(noted))).toEqual(new Set(["ada", "bob"]));
  });

  it("counts in a dry run what it would do, and writes nothing", async () => {
    const { topic } = await bury(["a", "b"]);
    const options = { brokers, topic, by: "ada" };
    expect(await redrive({ ...options, dryRun: true })).toMatchObject({ redriven: 2 });
    expect(await redrive(options)).toMatchObject({ redriven: 2, before: 0 });
  });

  it("stops at the limit", async () => {
    const { topic } = await bury(["a", "b", "c"]);
    expect(await redrive({ brokers, topic, by: "ada", limit: 2 })).toMatchObject({ redriven: 2 });
    expect(await redrive({ brokers, topic, by: "ada" })).toMatchObject({ redriven: 1, before: 2 });
  });

  it("mends values with edit, and skips what that does not mend", async () => {
    const { events, topic } = await bury(["a", "b"]);
    const edit = ({ value }: { value: Buffer | null }) =>
      String(value) === "a" ? "mended" : undefined;
    expect(await redrive({ brokers, topic, by: "ada", edit })).toMatchObject({
      redriven: 1,
      skipped: 1,
    });
    expect((await readTopic(brokers, events, count(1)))[0]?.value).toBe("mended");
  });

  it("skips what is sealed unless edit opens it", async () => {
    const { events, topic } = await bury(["a"], {}, { seal: () => "sealed" });
    expect(await redrive({ brokers, topic, by: "ada" })).toMatchObject({ skipped: 1 });
    const edit = () => "opened";
    expect(await redrive({ brokers, topic, by: "ada", edit })).toMatchObject({ redriven: 1 });
    expect((await readTopic(brokers, events, count(1)))[0]?.value).toBe("opened");
  });

  it("says which topic is missing", async () => {
    const missing = redrive({ brokers, topic: uniqueName("missing"), by: "ada" });
    await expect(missing).rejects.toMatchObject({ code: "KAFKA_TOPIC_MISSING" });
  });
});

const letterOf =
  (name: string) =>
  ({ error }: { error: { name: string } }): boolean =>
    error.name === name;

function notesIn(
  records: readonly { value: string | null; headers: readonly (readonly [string, string])[] }[],
) {
  return records
    .filter(({ headers }) => headers.some(([name]) => name === "westend-redriven"))
    .map(({ value }) => (JSON.parse(String(value)) as { by: string }).by);
}
