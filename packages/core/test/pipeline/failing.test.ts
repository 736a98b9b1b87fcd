import { constant, retry } from "westend";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { given, GivenSource } from "../support/given-source.ts";
import { LetterBox } from "../support/letter-box.ts";
import { numbers } from "../support/test-source.ts";
import { runTopology, startTopology } from "../support/topology-run.ts";
import { tried } from "../support/tried.ts";

describe("without a policy", () => {
  it("a failure is final at once, and the source decides", async () => {
    const producer = given([1]);
    const error = new Error("no");
    let calls = 0;
    const handle = () => {
      calls++;
      throw error;
    };
    await runTopology({ producer, processor: { handle } });
    expect(calls).toBe(1);
    expect(producer.told).toMatchObject([{ outcome: "failed", reason: error }]);
  });

  it("a failure goes to the dead-letter sink if there is one", async () => {
    const producer = given([1]);
    const deadLetter = new LetterBox<number>();
    const handle = () => Promise.reject(new Error("no"));
    await runTopology({ producer, deadLetter, processor: { handle } });
    expect(deadLetter.payloads).toEqual([1]);
    expect(producer.payloads("deadLettered")).toEqual([1]);
  });
});

describe("whenExhausted", () => {
  const policy = { attempts: 2, backoff: constant(100) };

  it("is the dead-letter sink by default", async () => {
    const { producer, deadLetter } = await tried(policy);
    expect(deadLetter.payloads).toEqual(["message"]);
    expect(producer.payloads("deadLettered")).toEqual(["message"]);
  });

  it("fail hands it back to the source as failed, and writes no letter", async () => {
    const { producer, deadLetter } = await tried({ ...policy, whenExhausted: "fail" });
    expect(deadLetter.writes).toEqual([]);
    expect(producer.payloads("failed")).toEqual(["message"]);
  });

  it("hold keeps the key waiting and trying, while others flow", async () => {
    const clock = virtualClock();
    const ends: string[] = [];
    let healed = false;
    const run = await startTopology(
      {
        producer: given(["a 1", "a 2", "b 1", "b 2"]),
        processor: {
          concurrency: 1,
          partitionBy: ({ data }) => data[0],
          retry: retry({ ...policy, whenExhausted: "hold" }),
          handle({ data }) {
            if (data === "a 1" && !healed) throw new Error("no");
            ends.push(data);
          },
        },
      },
      { clock },
    );
    await clock.advance(60_000);
    expect(ends).toEqual(["b 1", "b 2"]);
    expect(run.topology.stats().processor).toMatchObject({ waiting: 1, blocked: 1 });
    healed = true;
    const report = await run.end();
    expect(ends).toEqual(["b 1", "b 2", "a 1", "a 2"]);
    expect(report.succeeded).toBe(4);
  });

  it("stop ends the pipeline with the error; what failed is not acknowledged", async () => {
    const error = new Error("fatal");
    const producer = given(["fine", "fatal", "behind it"]);
    const run = await startTopology({
      producer,
      processor: {
        concurrency: 1,
        partitionBy: ({ data }) => (data === "fine" ? 1 : 2),
        retry: retry({ ...policy, whenExhausted: "stop" }),
        handle({ data }) {
          if (data === "fatal") throw error;
        },
      },
    });
    await expect(run.end()).rejects.toBe(error);
    expect(run.topology.status).toBe("failed");
    expect(producer.told.map(({ payload }) => payload)).toEqual(["fine"]);
    // What is ordered behind it goes back, too, and is not waited for.
    expect(run.topology.stats()).toMatchObject({ received: 3, succeeded: 1, released: 2 });
    expect(run.clock.now()).toBe(100);
  });
});

describe("the retry budget", () => {
  it("throttles retries beyond it, and loses nothing", async () => {
    const clock = virtualClock();
    const retries: number[] = [];
    const report = await runTopology(
      {
        producer: given(numbers(1, 100)),
        processor: {
          concurrency: 100,
          retry: retry({
            attempts: 2,
            backoff: constant(0),
            budget: { ratio: 0, perSecond: 2 },
          }),
          handle({ attempt }) {
            if (attempt === 1) throw new Error("no");
            retries.push(clock.now());
          },
        },
      },
      { clock },
    );
    expect(report.succeeded).toBe(100);
    // Ten seconds' worth at once, then two a second.
    expect(retries.filter((at) => at === 0)).toHaveLength(20);
    for (let second = 1; second <= 40; second++) {
      const during = retries.filter((at) => at > (second - 1) * 1000 && at <= second * 1000);
      expect(during).toHaveLength(2);
    }
  });

  it("grows with what comes in", async () => {
    const clock = virtualClock();
    await runTopology(
      {
        producer: given(numbers(1, 1000)),
        maxInFlight: 5,
        processor: {
          retry: retry({ attempts: 2, backoff: constant(0), budget: { ratio: 1, perSecond: 1 } }),
          handle({ attempt }) {
            if (attempt === 1) throw new Error("no");
          },
        },
      },
      { clock },
    );
    expect(clock.now()).toBe(0);
  });
});

describe("onFailed", () => {
  it("sees what ran out of policy, with the data of the source, before it is written", async () => {
    const seen: unknown[] = [];
    const deadLetter = new LetterBox<{ value: number }>();
    const error = new Error("no");
    await runTopology({
      producer: new GivenSource([{ payload: { value: 1 }, key: "key" }]),
      deadLetter,
      decoder: { name: "decoder", decode: ({ value }) => ({ value, decoded: true }) },
      onFailed(messages) {
        for (const { data, payload, reason, attempt, key, batcher, source } of messages) {
          seen.push({ data, payload, reason, attempt, key, batcher, source });
          seen.push(`${deadLetter.letters.length} letters`);
        }
      },
      processor: {
        retry: retry({ attempts: 2, backoff: constant(1) }),
        handle: () => {
          throw error;
        },
      },
    });
    const data = { value: 1, decoded: true };
    const payload = { value: 1 };
    const rest = { reason: error, attempt: 2, key: "key", batcher: undefined, source: "given" };
    expect(seen).toEqual([{ data, payload, ...rest }, "0 letters"]);
    expect(deadLetter.letters).toHaveLength(1);
  });

  it("sees no message that is to be tried again, was dropped, or succeeded", async () => {
    const seen: unknown[] = [];
    await runTopology({
      producer: given(["again", "drop", "fine"]),
      onFailed: (messages) => void seen.push(...messages),
      processor: {
        retry: retry({ attempts: 2, backoff: constant(1) }),
        handle(message) {
          if (message.data === "drop") message.drop("on purpose");
          if (message.data === "again" && message.attempt === 1) throw new Error("again");
        },
      },
    });
    expect(seen).toEqual([]);
  });

  it("may change what the connector does with the message", async () => {
    const producer = given([1]);
    await runTopology({
      producer,
      onFailed: ([message]) => message?.configureAck({ requeue: false } as never),
      processor: { handle: (message) => message.fail("no") },
    });
    expect(producer.told).toMatchObject([{ outcome: "failed", ackOptions: { requeue: false } }]);
  });

  it("is waited for, and does not hold other messages", async () => {
    const clock = virtualClock();
    const producer = given(["bad", "good"]);
    const run = await startTopology(
      {
        producer,
        onFailed: () => new Promise<void>((resolve) => void clock.setTimer(resolve, 100)),
        processor: {
          handle(message) {
            if (message.data === "bad") message.fail("no");
          },
        },
      },
      { clock },
    );
    await clock.advance(99);
    expect(producer.told).toMatchObject([{ payload: "good" }]);
    await run.end();
    expect(producer.payloads("failed")).toEqual(["bad"]);
  });

  it.each<[string, () => void]>([
    [
      "throws",
      () => {
        throw new Error("in onFailed");
      },
    ],
    ["rejects", () => Promise.reject(new Error("in onFailed")) as never],
    ["returns nonsense", () => "revive" as never],
  ])("does no harm when it %s", async (_, onFailed) => {
    const producer = given([1, 2]);
    const deadLetter = new LetterBox<number>();
    const handle = (message: { fail(reason: unknown): void }) => message.fail("no");
    const report = await runTopology({ producer, deadLetter, onFailed, processor: { handle } });
    expect(report.deadLettered).toBe(2);
    expect(deadLetter.payloads).toEqual([1, 2]);
  });
});
