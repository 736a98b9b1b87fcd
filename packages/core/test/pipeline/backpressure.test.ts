import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deferred, never } from "../support/deferred.ts";
import { startScene } from "../support/scene.ts";
import { sleep } from "../support/sleep.ts";
import { stopWithin } from "../support/stopping.ts";
import { numbers, TestSource } from "../support/test-source.ts";

describe("back-pressure", () => {
  it("takes no more than maxInFlight out of the source, however much there is", async () => {
    const { clock, source, running } = await startScene(
      { maxInFlight: 7, processor: { concurrency: 2, handle: () => never } },
      new TestSource(numbers(1, 1000)),
    );
    await clock.advance(60_000);
    expect(source.taken).toHaveLength(7);
    await stopWithin(clock, running, 100);
  });

  it("takes by default ten for each processor, and a batch to fill for each that is being written", async () => {
    const { clock, source, running } = await startScene(
      {
        processor: { concurrency: 3, handle: (message: any) => message.to("sink") },
        batchers: { sink: { size: 20, timeout: 1000, concurrency: 4, handle: () => never } },
      },
      new TestSource(numbers(1, 1000)),
    );
    await clock.advance(60_000);
    expect(source.taken).toHaveLength(3 * 10 + 4 * 20 * 2);
    await stopWithin(clock, running, 100);
  });

  it("counts what is pushed together with what the sources give", async () => {
    const { clock, source, running } = await startScene({
      maxInFlight: 7,
      processor: { handle: () => never },
    });
    void running.push(numbers(1, 4));
    await clock.settle();
    source.push(...numbers(1, 100));
    await clock.settle();
    expect(running.stats().inFlight).toBe(7);
    expect(source.taken).toHaveLength(3);
    await stopWithin(clock, running, 100);
  });

  it("counts what is not acknowledged yet", async () => {
    const gate = deferred();
    const { clock, source, running } = await startScene(
      { maxInFlight: 7 },
      new TestSource(numbers(1, 100), { acknowledge: (usual) => gate.promise.then(usual) }),
    );
    await clock.advance(1000);
    expect(source.taken).toHaveLength(7);
    gate.resolve();
    await clock.settle();
    expect(source.acknowledged).toHaveLength(100);
    await stopWithin(clock, running, 100);
  });

  it("counts what fills batches, and flushes them when nothing else would make room", async () => {
    const sizes: number[] = [];
    const { clock, source, running } = await startScene(
      {
        maxInFlight: 10,
        processor: { handle: (message: any) => message.to("sink") },
        batchers: {
          sink: {
            size: 1000,
            timeout: 3_600_000,
            handle: (messages: any[]) => void sizes.push(messages.length),
          },
        },
      },
      new TestSource(numbers(1, 100)),
    );
    await clock.advance(1000);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(10);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThanOrEqual(90);
    expect(source.taken.length).toBeLessThanOrEqual(10);
    await stopWithin(clock, running, 100);
    expect(source.acknowledged).toHaveLength(100);
  });

  it("holds for bytes, but always takes one message", async () => {
    const waiting = numbers(1, 100).map((index) => ({
      payload: "x".repeat(100),
      metadata: { index },
    }));
    const producer = {
      name: "bytes",
      open: () => ({
        pull: ({ messages }: any) => waiting.splice(0, messages),
        acknowledge() {},
        release: (back: any) => void waiting.unshift(...back),
        idle: Infinity,
      }),
    };
    const { clock, running } = await startScene({
      producer,
      maxBytes: 350,
      processor: { concurrency: 10, handle: () => sleep(clock0(), 10) },
    });
    function clock0() {
      return clock;
    }
    let most = 0;
    for (let step = 0; step < 1000; step++) {
      most = Math.max(most, running.stats().bytes);
      await clock.advance(10);
    }
    expect(most).toBeLessThanOrEqual(400);
    expect(running.stats()).toMatchObject({ received: 100, bytes: 0 });
    await stopWithin(clock, running, 100);
  });

  it("takes a message that is larger than all of maxBytes, alone", async () => {
    const large = [1, 2, 3].map((index) => ({ payload: "x".repeat(1000), metadata: { index } }));
    let most = 0;
    const { clock, running } = await startScene({
      producer: {
        name: "large",
        open: () => ({
          pull: ({ messages }: any) => large.splice(0, messages),
          acknowledge() {},
          idle: Infinity,
        }),
      },
      maxBytes: 10,
      processor: {
        async handle() {
          most = Math.max(most, running.stats().inFlight);
          await sleep(clock, 10);
        },
      },
    });
    await clock.advance(1000);
    expect(running.stats()).toMatchObject({ received: 3, inFlight: 0 });
    expect(most).toBeLessThanOrEqual(1);
    await stopWithin(clock, running, 100);
  });

  it("does not let a slow batcher keep back what others could do within the budget", async () => {
    const done: number[] = [];
    const { clock, running, source } = await startScene({
      maxInFlight: 40,
      processor: { handle: (message: any) => message.to(message.data % 2 === 0 ? "slow" : "fast") },
      batchers: {
        slow: { size: 5, handle: () => never },
        fast: { size: 1, handle: ([message]: any[]) => void done.push(message.data) },
      },
    });
    source.push(...numbers(1, 60));
    await clock.advance(1000);
    expect(done.length).toBeGreaterThanOrEqual(20);
    await stopWithin(clock, running, 100);
  });

  it("never has more in flight than the limit, whatever the limit becomes", async () => {
    const change = fc.record({
      after: fc.integer({ min: 0, max: 120 }),
      maxInFlight: fc.integer({ min: 1, max: 30 }),
      concurrency: fc.integer({ min: 1, max: 10 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 8 }), async (changes) => {
        let handlers = 0;
        const { clock, source, running } = await startScene({
          maxInFlight: 10,
          processor: {
            concurrency: 3,
            async handle({ data }: any) {
              handlers++;
              await sleep(clock, (data * 17) % 50);
              handlers--;
            },
          },
        });
        source.push(...numbers(1, 200));
        let [limit, slots] = [10, 3];
        for (const { after, maxInFlight, concurrency } of changes) {
          for (let step = 0; step < after; step += 10) {
            const [taken, busy] = [source.taken.length, handlers];
            await clock.advance(10);
            expect(source.taken.length).toBeLessThanOrEqual(Math.max(limit, taken));
            expect(handlers).toBeLessThanOrEqual(Math.max(slots, busy));
          }
          running.update({ maxInFlight, processor: { concurrency } });
          [limit, slots] = [maxInFlight, concurrency];
        }
        await clock.advance(20_000);
        expect(source.acknowledged).toHaveLength(200);
        await stopWithin(clock, running, 100);
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});
