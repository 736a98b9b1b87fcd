import { describe, expect, it } from "vitest";
import { constant, retry } from "westend";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { deferred } from "../support/deferred.ts";
import { startScene } from "../support/scene.ts";
import { sleep } from "../support/sleep.ts";
import { stopWithin } from "../support/stopping.ts";
import { isEven, TestSource } from "../support/test-source.ts";

describe("revoke, of what is in batches", () => {
  it("takes back what waits for another try in a batcher", async () => {
    const batches: number[][] = [];
    const { clock, source, running } = await startScene(
      {
        processor: { handle: (message: any) => message.to("sink") },
        batchers: {
          sink: {
            size: 2,
            retry: retry({ attempts: 5, backoff: constant(1000) }),
            handle(messages: any[]) {
              batches.push(messages.map(({ data }) => data));
              if (batches.length === 1) throw new Error("spoilt");
            },
          },
        },
      },
      new TestSource([1, 2]),
    );
    await clock.advance(10);
    await source.contexts[0]?.revoke(isEven, 60_000);
    await clock.advance(1000);
    expect(batches).toEqual([[1, 2], [1]]);
    expect(source.acknowledged).toEqual([1]);
    expect(running.stats()).toMatchObject({ succeeded: 1, released: 1 });
    await stopWithin(clock, running, 0);
  });

  it.each([
    ["tried again", { retry: retry({ attempts: 5, backoff: constant(0) }) }],
    ["halved", { bisect: true }],
  ])("takes back what would be %s when its batch fails meanwhile", async (_, options) => {
    const gate = deferred();
    const batches: number[][] = [];
    const { clock, source, running } = await startScene(
      {
        processor: { handle: (message: any) => message.to("sink") },
        batchers: {
          sink: {
            size: 4,
            ...options,
            handle(messages: any[]) {
              batches.push(messages.map(({ data }) => data));
              return batches.length === 1 ? gate.promise : undefined;
            },
          },
        },
      },
      new TestSource([1, 2, 3, 4]),
    );
    const revoked = source.contexts[0]?.revoke(isEven, 60_000);
    await clock.settle();
    gate.reject(new Error("spoilt"));
    await clock.advance(100);
    await revoked;
    expect(batches.slice(1).flat()).toEqual([1, 3]);
    expect(source.acknowledged).toEqual([1, 3]);
    await stopWithin(clock, running, 0);
  });

  it.each([
    ["waits for another try when it is revoked", "ends", 0],
    ["waits for another try when it is revoked", "fails", 0],
    ["fails while it is revoked", "ends", 20],
    ["fails while it is revoked", "fails", 20],
  ])(
    "waits for the other batch of a message that %s, until that %s",
    async (_, how, failsAfter) => {
      const gate = deferred();
      const calls: string[] = [];
      const policy = retry({ attempts: 5, backoff: constant(30) });
      const clock = virtualClock();
      const { source, running } = await startScene(
        {
          processor: { handle: (message: any) => [message.to("down"), message.to("slow")] },
          batchers: {
            down: {
              size: 1,
              retry: policy,
              async handle() {
                calls.push("down");
                await sleep(clock, failsAfter);
                throw new Error("spoilt");
              },
            },
            slow: {
              size: 1,
              retry: policy,
              handle() {
                calls.push("slow");
                return gate.promise;
              },
            },
          },
        },
        new TestSource([2]),
        { clock },
      );
      await clock.advance(10);
      let revoked = false;
      void source.contexts[0]?.revoke(isEven, 5000).then(() => (revoked = true));
      await clock.advance(1000);
      expect(revoked).toBe(false);
      if (how === "ends") gate.resolve();
      else gate.reject(new Error("spoilt, too"));
      await clock.settle();
      expect(revoked).toBe(true);
      await clock.advance(60_000);
      expect(calls).toEqual(["down", "slow"]);
      expect(source.acknowledged).toEqual([]);
      expect(running.stats()).toMatchObject({ released: 1, inFlight: 0 });
      await stopWithin(clock, running, 0);
      expect(clock.timers).toBe(0);
    },
  );

  it("flushes what comes into a batch meanwhile", async () => {
    const gate = deferred();
    const { clock, source, running } = await startScene(
      {
        processor: {
          async handle(message: any) {
            await gate.promise;
            return message.to("sink");
          },
        },
        batchers: { sink: { size: 100, timeout: 60_000, handle() {} } },
      },
      new TestSource([2]),
    );
    const revoked = source.contexts[0]?.revoke(isEven, 5000);
    await clock.settle();
    gate.resolve();
    await clock.settle();
    await revoked;
    expect(source.acknowledged).toEqual([2]);
    await stopWithin(clock, running, 0);
  });

  it("flushes the open batches that hold some of them", async () => {
    const { clock, source, running } = await startScene(
      {
        processor: { handle: (message: any) => message.to("sink") },
        batchers: { sink: { size: 100, timeout: 60_000, handle() {} } },
      },
      new TestSource([1, 2, 3]),
    );
    await source.contexts[0]?.revoke(isEven, 5000);
    expect(source.acknowledged).toEqual([1, 2, 3]);
    await stopWithin(clock, running, 0);
  });
});
