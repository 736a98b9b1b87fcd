import { constant, retry } from "westend";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { given, GivenSource } from "../support/given-source.ts";
import { sleep } from "../support/sleep.ts";
import { numbers } from "../support/test-source.ts";
import { runTopology, startTopology } from "../support/topology-run.ts";

describe("the keys of a pipeline", () => {
  it("leave nothing behind, a million distinct ones", async () => {
    function* many() {
      for (let payload = 0; payload < 1_000_000; payload++) yield { payload };
    }
    const producer = new GivenSource(many());
    producer.told.push = () => 0;
    const run = await startTopology({
      producer,
      processor: {
        concurrency: 100,
        partitionBy: ({ data }) => data,
        // Some wait, some fail, some are sent on: each way out frees its key.
        handle({ data }) {
          if (data % 1000 === 1) return Promise.resolve();
          if (data % 1000 === 2) throw new Error("no");
          return undefined;
        },
      },
    });
    const report = await run.end();
    expect(report).toMatchObject({ received: 1_000_000, succeeded: 999_000, failed: 1000 });
    expect(run.topology.keys).toBe(0);
  }, 60_000);

  it("leave nothing behind when what could not be decoded at first has another key than its source gave", async () => {
    let calls = 0;
    const run = await startTopology({
      producer: new GivenSource([{ payload: 1, key: "of the source" }]),
      decoder: {
        name: "late",
        decode(payload) {
          if (++calls <= 2) throw new Error("not yet");
          return payload;
        },
      },
      processor: {
        retry: retry({ attempts: 5, backoff: constant(10) }),
        partitionBy: ({ data }) => data,
        handle: () => {},
      },
    });
    await run.end();
    expect(calls).toBe(3);
    expect(run.topology.keys).toBe(0);
  });

  it("leave nothing behind when a key could not be told at first", async () => {
    let calls = 0;
    const run = await startTopology({
      producer: new GivenSource([{ payload: 1, key: "of the source" }]),
      processor: {
        retry: retry({ attempts: 5, backoff: constant(10), whenExhausted: "hold" }),
        partitionBy({ data }) {
          if (++calls <= 2) throw new Error("not yet");
          return data;
        },
        handle: () => {},
      },
    });
    await run.end();
    expect(calls).toBe(3);
    expect(run.topology.keys).toBe(0);
  });

  it.each(["drop", "fail", "deadLetter"] as const)(
    "are free for the next message after the policy said %s",
    async (action) => {
      const producer = given([1, 2]);
      const run = await startTopology({
        producer,
        processor: {
          partitionBy: () => "key",
          retry: retry({ attempts: 1, when: () => action }),
          handle({ data }) {
            if (data === 1) throw new Error("no");
          },
        },
      });
      await run.end();
      expect(producer.payloads("succeeded")).toEqual([2]);
      expect(run.topology.keys).toBe(0);
    },
  );

  it("are counted while they are in use", async () => {
    const clock = virtualClock();
    const run = await startTopology(
      {
        producer: given(numbers(1, 20)),
        processor: {
          concurrency: 2,
          partitionBy: ({ data }) => data % 5,
          handle: () => sleep(clock, 10),
        },
      },
      { clock },
    );
    await clock.settle();
    expect(run.topology.keys).toBe(5);
    await run.end();
    expect(run.topology.keys).toBe(0);
  });
});

describe("partitionBy", () => {
  it("fails alone a message for which it throws", async () => {
    const producer = given([1, 2, 3]);
    const error = new Error("no key");
    const partitionBy = ({ data }: { data: number }) => {
      if (data === 2) throw error;
      return data;
    };
    const seen: unknown[] = [];
    await runTopology({
      producer,
      onFailed: (messages) => void seen.push(...messages.map(({ data }) => data)),
      processor: { partitionBy, handle: () => {} },
    });
    expect(producer.payloads("succeeded")).toEqual([1, 3]);
    expect(producer.told.find(({ payload }) => payload === 2)).toMatchObject({
      outcome: "failed",
      reason: error,
    });
    expect(seen).toEqual([2]);
  });

  it.each([
    ["null", null],
    ["an object", {}],
    ["a boolean", true],
    ["a symbol", Symbol("key")],
    ["a function", () => "key"],
    ["a promise", Promise.resolve("key")],
  ])("fails alone a message for which it gives %s", async (_, nonsense) => {
    const producer = given([1, 2, 3]);
    const partitionBy = ({ data }: { data: number }) => (data === 2 ? nonsense : "key");
    await runTopology({ producer, processor: { partitionBy, handle: () => {} } });
    expect(producer.payloads("succeeded")).toEqual([1, 3]);
    expect(producer.payloads("failed")).toEqual([2]);
    expect(producer.told.find(({ payload }) => payload === 2)?.reason).toMatchObject({
      code: "WESTEND_ERR_HANDLER_RESULT",
    });
  });
});
