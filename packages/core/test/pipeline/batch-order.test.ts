import { describe, expect, it } from "vitest";
import { constant, retry } from "westend";
import { type Deferred, deferred } from "../support/deferred.ts";
import { given } from "../support/given-source.ts";
import { numbers } from "../support/test-source.ts";
import { startTopology } from "../support/topology-run.ts";

/** The sum of digits decides the partition, so that neighbours differ. */
const partitionBy = ({ data }: { readonly data: unknown }): number => (data as number) % 3;

describe("Batch processors", () => {
  it("run `concurrency` batches at once and no more", async () => {
    const gates: Deferred<void>[] = [];
    const run = await startTopology({
      producer: given(numbers(1, 10)),
      processor: { handle: (message) => message.to("b") },
      batchers: {
        b: {
          size: 1,
          concurrency: 3,
          handle() {
            const gate = deferred();
            gates.push(gate);
            return gate.promise;
          },
        },
      },
    });
    await run.clock.settle();
    expect(gates.length).toBe(3);
    expect(run.topology.stats().batchers["b"]).toMatchObject({ running: 3, queued: 7 });
    for (let index = 0; index < 10; index++) {
      gates[index]?.resolve();
      await run.clock.settle();
      expect(gates.length).toBe(Math.min(10, 4 + index));
    }
    expect(await run.end()).toMatchObject({ succeeded: 10 });
  });

  it("of one slot handle batches in the order in which they were emitted", async () => {
    const order: unknown[] = [];
    const run = await startTopology({
      producer: given(numbers(1, 50)),
      processor: { concurrency: 1, handle: (message) => message.to("b") },
      batchers: {
        b: {
          size: 3,
          async handle(messages) {
            order.push(...messages.map(({ data }) => data));
          },
        },
      },
    });
    await run.end();
    expect(order).toEqual(numbers(1, 50));
  });
});

describe("partitionBy of a batcher", () => {
  it("keeps order within a partition over retries, while others flow", async () => {
    const order: number[][] = [[], [], []];
    const running = new Set<number>();
    let calls = 0;
    const run = await startTopology({
      producer: given(numbers(1, 60)),
      processor: {
        concurrency: 1,
        handle: (message) => message.to("b", message.data, { key: message.data % 3 }),
      },
      batchers: {
        b: {
          size: 2,
          concurrency: 4,
          partitionBy,
          retry: retry({ attempts: 20, backoff: constant(10) }),
          async handle(messages, batch) {
            const partition = batch.partition as number;
            if (running.has(partition)) throw new Error("Two batches of one partition at once.");
            running.add(partition);
            await Promise.resolve();
            running.delete(partition);
            if (++calls % 4 === 0) throw new Error("again");
            order[partition]?.push(...messages.map(({ data }) => data as number));
          },
        },
      },
    });
    expect(await run.end()).toMatchObject({ succeeded: 60, failed: 0 });
    for (const [partition, seen] of order.entries()) {
      expect(seen).toEqual(numbers(1, 60).filter((number) => number % 3 === partition));
    }
  });

  it("holds back only what shares the partition of a batch that waits for its next attempt", async () => {
    const handled: unknown[][] = [];
    const run = await startTopology({
      producer: given([3, 4, 6, 7]),
      processor: { concurrency: 1, handle: (message) => message.to("b") },
      batchers: {
        b: {
          size: 1,
          partitionBy,
          retry: retry({ attempts: 2, backoff: constant(1000) }),
          handle(messages, { attempt }) {
            handled.push(messages.map(({ data }) => data));
            if (messages[0]?.data === 3 && attempt === 1) throw new Error("again");
          },
        },
      },
    });
    await run.clock.advance(999);
    expect(handled).toEqual([[3], [4], [7]]);
    await run.clock.advance(1);
    expect(handled).toEqual([[3], [4], [7], [3], [6]]);
    await run.end();
  });

  it("does not give up order for `hold`: what is behind waits until it gets through", async () => {
    let down = true;
    const succeeded: unknown[] = [];
    const run = await startTopology({
      producer: given([3, 4, 6]),
      processor: { concurrency: 1, handle: (message) => message.to("b") },
      batchers: {
        b: {
          size: 1,
          partitionBy,
          retry: retry({ attempts: 1, backoff: constant(100), whenExhausted: "hold" }),
          handle(messages) {
            if (down && messages[0]?.data === 3) throw new Error("down");
            succeeded.push(messages[0]?.data);
          },
        },
      },
    });
    await run.clock.advance(60_000);
    expect(succeeded).toEqual([4]);
    down = false;
    await run.end();
    expect(succeeded).toEqual([4, 3, 6]);
  });
});
