import { describe, expect, it } from "vitest";
import { handleChannel } from "../../src/telemetry.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { deferred } from "../support/deferred.ts";
import { faultyClock } from "../support/faulty-clock.ts";
import { given } from "../support/given-source.ts";
import { numbers } from "../support/test-source.ts";
import { runTopology, startTopology } from "../support/topology-run.ts";

describe("what a message says of itself", () => {
  it("is what the source sent, when, from where, and how often", async () => {
    const clock = virtualClock(1_000_000);
    const seen: unknown[] = [];
    const handle = (message: {
      data: string;
      key: unknown;
      attempt: number;
      receivedAt: number;
      source: string;
    }) => {
      const { data, key, attempt, receivedAt, source } = message;
      seen.push({ data, key, attempt, receivedAt, source });
    };
    const partitionBy = ({ data }: { data: string }) => `key of ${data}`;
    const producer = given(["a"]);
    await runTopology({ producer, processor: { partitionBy, handle } }, { clock });
    const expected = {
      data: "a",
      key: "key of a",
      attempt: 1,
      receivedAt: 1_000_000,
      source: "given",
    };
    expect(seen).toEqual([expected]);
  });
});

describe("how a handler ends its message", () => {
  it("acknowledges what returns nothing, or an empty array", async () => {
    const producer = given([1, 2]);
    const handle = ({ data }: { data: number }) => (data === 1 ? undefined : []);
    await runTopology({ producer, processor: { handle } });
    expect(producer.payloads("succeeded")).toEqual([1, 2]);
  });

  it("drops with a reason: acknowledged, counted, not failed", async () => {
    const producer = given([1]);
    const report = await runTopology({
      producer,
      processor: { handle: (message) => message.drop("too old") },
    });
    expect(report).toMatchObject({ dropped: 1, failed: 0, succeeded: 0 });
    expect(producer.told).toMatchObject([{ outcome: "dropped", reason: "too old" }]);
  });

  it("fails with a reason as if it had been thrown", async () => {
    const producer = given([1]);
    const reason = { any: "value" };
    await runTopology({ producer, processor: { handle: (message) => message.fail(reason) } });
    expect(producer.told).toMatchObject([{ outcome: "failed" }]);
    expect(producer.told[0]?.reason).toBe(reason);
  });

  it("tells the connector what was last given to `configureAck`", async () => {
    const producer = given([1, 2]);
    const handle = (message: { data: number; configureAck(options: never): void }) => {
      message.configureAck({ delay: 1 } as never);
      message.configureAck({ delay: 2 } as never);
      if (message.data === 2) throw new Error("no");
    };
    await runTopology({ producer, processor: { handle } });
    expect(producer.told.map(({ payload, ackOptions }) => [payload, ackOptions])).toEqual([
      [1, { delay: 2 }],
      [2, { delay: 2 }],
    ]);
  });

  it("acknowledges before the end with `ackNow`, once", async () => {
    const producer = given([1]);
    const gate = deferred();
    let told: unknown;
    const run = await startTopology({
      producer,
      processor: {
        async handle(message) {
          await message.ackNow();
          await message.ackNow();
          told = producer.told.map(({ outcome }) => outcome);
          await gate.promise;
        },
      },
    });
    await run.clock.settle();
    expect(told).toEqual(["succeeded"]);
    gate.resolve();
    await run.end();
    expect(producer.told).toHaveLength(1);
  });

  it("counts a message that failed after `ackNow` as failed, and tells its source nothing more", async () => {
    const producer = given([1]);
    const report = await runTopology({
      producer,
      processor: {
        async handle(message) {
          await message.ackNow();
          throw new Error("too late");
        },
      },
    });
    expect(report).toMatchObject({ failed: 1, succeeded: 0 });
    expect(producer.payloads("failed")).toEqual([]);
  });
});

describe("a lazy thenable", () => {
  it("runs once, though somebody traces handlers", async () => {
    const subscriber = { start() {}, end() {}, asyncStart() {}, asyncEnd() {}, error() {} };
    handleChannel.subscribe(subscriber);
    let runs = 0;
    const lazy = {
      // oxlint-disable-next-line unicorn/no-thenable -- as query builders have it
      then(resolve: () => void) {
        runs++;
        resolve();
      },
    };
    await runTopology({ producer: given([1]), processor: { handle: () => lazy } });
    handleChannel.unsubscribe(subscriber);
    expect(runs).toBe(1);
  });
});

describe("an array of routes", () => {
  it("may serve for many messages, even if their batcher crashes meanwhile", async () => {
    const clock = faultyClock();
    const routes: unknown[] = [];
    const batched: unknown[] = [];
    const producer = given(numbers(1, 3));
    const report = await runTopology<number>(
      {
        producer,
        processor: {
          concurrency: 1,
          handle(message) {
            // The batcher cannot set the timer of its first batch.
            if (message.data === 1) clock.fault = "setTimer";
            routes.length = 0;
            for (const part of ["a", "b"])
              routes.push(message.to("sink", `${message.data}${part}`));
            return routes;
          },
        },
        batchers: {
          sink: { handle: (messages) => void batched.push(...messages.map(({ data }) => data)) },
        },
      },
      { clock },
    );
    expect(report.succeeded).toBe(3);
    expect(batched).toEqual(["1a", "1b", "2a", "2b", "3a", "3b"]);
  });
});

describe("prepare", () => {
  it("is called once for the messages of one pull, before any of them is handled", async () => {
    const calls: string[] = [];
    await runTopology({
      producer: given(numbers(1, 5), 3),
      processor: {
        prepare: async (messages) => {
          await Promise.resolve();
          calls.push(`prepare ${messages.map(({ data }) => data).join()}`);
        },
        handle: ({ data }) => void calls.push(`handle ${data}`),
      },
    });
    expect(calls.filter((call) => call.startsWith("prepare"))).toEqual([
      "prepare 1,2,3",
      "prepare 4,5",
    ]);
    expect(calls.indexOf("handle 1")).toBeGreaterThan(calls.indexOf("prepare 1,2,3"));
    expect(calls.indexOf("handle 4")).toBeGreaterThan(calls.indexOf("prepare 4,5"));
  });

  it("gives the very messages that are handled", async () => {
    const prepared = new Set<unknown>();
    const handled = new Set<unknown>();
    await runTopology({
      producer: given(numbers(1, 3)),
      processor: {
        prepare: (messages) => messages.forEach((message) => prepared.add(message)),
        handle: (message) => void handled.add(message),
      },
    });
    expect(handled).toEqual(prepared);
    expect([...handled].every((message) => prepared.has(message))).toBe(true);
  });

  it("fails alone the message that is to blame when it fails", async () => {
    const producer = given(numbers(1, 5));
    const calls: string[] = [];
    await runTopology({
      producer,
      processor: {
        prepare(messages) {
          calls.push(messages.map(({ data }) => data).join());
          if (messages.some(({ data }) => data === 3)) throw new Error("3 is bad");
        },
        handle: () => {},
      },
    });
    expect(calls).toEqual(["1,2,3,4,5", "1", "2", "3", "4", "5"]);
    expect(producer.payloads("failed")).toEqual([3]);
    expect(producer.payloads("succeeded")).toEqual([1, 2, 4, 5]);
    expect(producer.told.find(({ payload }) => payload === 3)?.reason).toEqual(
      new Error("3 is bad"),
    );
  });

  it("is not called when nothing of a pull could be decoded", async () => {
    let calls = 0;
    await runTopology({
      producer: given([1, 2]),
      decoder: {
        name: "never",
        decode: () => {
          throw new Error("no");
        },
      },
      processor: { prepare: () => void calls++, handle: () => {} },
    });
    expect(calls).toBe(0);
  });
});
