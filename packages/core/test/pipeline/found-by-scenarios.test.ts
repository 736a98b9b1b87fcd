import { describe, expect, it } from "vitest";
import { constant, type Incoming, type ProducerContext, retry } from "westend";
import { deferred, never } from "../support/deferred.ts";
import { LetterBox } from "../support/letter-box.ts";
import { type TestIncoming, type TestMetadata, TestSource } from "../support/test-source.ts";
import { runTopology, startTopology } from "../support/topology-run.ts";

/** A source that gives these messages, with their sizes and keys, in one pull. */
function sourceOf(
  messages: readonly Omit<Incoming<number, TestMetadata>, "metadata">[],
): TestSource {
  let left: TestIncoming[] | undefined = messages.map((message, index) => ({
    ...message,
    metadata: { index },
  }));
  return new TestSource([], {
    pull: () => {
      const pulled = left;
      left = undefined;
      return pulled ?? null;
    },
  });
}

// Each was the smallest scenario in which properties/scenarios.test.ts saw a promise broken.
describe("what scenarios have found", () => {
  it("tells a session nothing once it is being closed", async () => {
    const source = new TestSource([1], {
      acknowledge: (_, { succeeded }) => ({ refused: succeeded }),
      close: () => never,
    });
    const { clock, topology } = await startTopology({
      producer: source as never,
      processor: { handle() {} },
    });
    await clock.settle();
    void topology.stop(0);
    await clock.advance(60_000);
    expect(topology.status).toBe("stopped");
    expect(source.calls.slice(source.calls.indexOf("close 0"))).toEqual(["close 0"]);
  });

  it("takes back what there was no room for, too", async () => {
    const source = sourceOf([
      { payload: 1, size: 30 },
      { payload: 2, size: 5 },
    ]);
    const handled: number[] = [];
    const end = deferred();
    const run = await startTopology<number>({
      producer: source as never,
      maxBytes: 25,
      processor: {
        handle(message) {
          handled.push(message.data);
          return end.promise;
        },
      },
    });
    await run.clock.settle();
    const [context] = source.contexts as [ProducerContext];
    await context.revoke(({ payload }) => payload === 2, 1000);
    end.resolve();
    await run.end();
    expect(handled).toEqual([1]);
  });

  it("counts a message until the source has taken what it was told before the end", async () => {
    const taken = deferred();
    const source = new TestSource([1], { acknowledge: () => taken.promise }, true);
    const run = await startTopology({
      producer: source as never,
      processor: {
        handle(message) {
          void message.ackNow();
        },
      },
    });
    await run.clock.settle();
    expect(run.topology.stats()).toMatchObject({ inFlight: 1, succeeded: 1, status: "running" });
    expect(source.calls).not.toContain("close 0");
    taken.resolve();
    expect(await run.end()).toMatchObject({ received: 1, succeeded: 1 });
  });

  it("gives back, and does not take in, what there was no room for when the deadline has passed", async () => {
    const source = sourceOf([1, 2, 3].map((payload) => ({ payload, size: 10 })));
    const { clock, topology } = await startTopology({
      producer: source as never,
      maxBytes: 25,
      decoder: { name: "stuck", decode: () => never },
      processor: { handle() {} },
    });
    await clock.settle();
    void topology.stop(0);
    await clock.advance(2000);
    expect(topology.stats()).toMatchObject({ status: "stopped", received: 2, inFlight: 0 });
    expect(source.calls).toContain("release 0");
  });

  it("waits, and does not spin, when prepared messages leave no room for the next", async () => {
    const source = sourceOf([30, 30].map((size, payload) => ({ payload, size })));
    const report = await runTopology({
      producer: source as never,
      maxBytes: 40,
      processor: { async prepare() {}, handle: (message) => message.to("b") },
      batchers: { b: { size: 9, timeout: 100, handle() {} } },
    });
    expect(report.succeeded).toBe(2);
  });

  it("keeps the place of a message that cannot be decoded among those that are prepared with it", async () => {
    const source = sourceOf([1, 2].map((payload) => ({ payload, key: "same" })));
    let broken = true;
    const handled: number[] = [];
    await runTopology<number>({
      producer: source as never,
      decoder: {
        name: "once broken",
        decode(payload) {
          if (payload === 1 || !broken) return payload;
          broken = false;
          throw new Error("not yet");
        },
      },
      processor: {
        retry: retry({ attempts: 3, backoff: constant(10) }),
        prepare() {},
        handle(message) {
          handled.push(message.data);
        },
      },
    });
    expect(handled).toEqual([1, 2]);
  });

  it("frees the key of a message that is taken back while its letter cannot be written", async () => {
    const source = sourceOf([1, 2].map((payload) => ({ payload, key: "same" })));
    const handled: number[] = [];
    const run = await startTopology<number>({
      producer: source as never,
      deadLetter: new LetterBox<number>(() => true),
      processor: {
        handle(message) {
          handled.push(message.data);
          if (message.data === 1) throw new Error("poison");
        },
      },
    });
    await run.clock.settle();
    const [context] = source.contexts as [ProducerContext];
    const revoked = context.revoke(({ payload }) => payload === 1, 50);
    await run.clock.advance(50);
    await revoked;
    await run.clock.settle();
    expect(handled).toEqual([1, 2]);
    await run.topology.stop(0);
  });

  it("drains once when what the drain sets going stops it again", async () => {
    const { clock, topology } = await startTopology<number>({
      producer: new TestSource([1, 2], { releases: false }) as never,
      processor: {
        concurrency: 1,
        retry: retry({ attempts: 1, whenExhausted: "stop" }),
        handle(message) {
          if (message.data === 2) throw new Error("second");
          return Promise.reject(new Error("first"));
        },
      },
    });
    await expect(topology.done).rejects.toThrow("first");
    expect(clock.timers).toBe(0);
  });

  it("starts no handler once the prepare before it was given up", async () => {
    const prepared = deferred();
    let prepares = 0;
    const handled: number[] = [];
    const { clock, topology } = await startTopology<number>({
      producer: sourceOf([{ payload: 1 }]) as never,
      processor: {
        prepare() {
          if (++prepares === 1) throw new Error("together");
          return prepared.promise;
        },
        handle(message) {
          handled.push(message.data);
        },
      },
    });
    await clock.settle();
    void topology.stop(0);
    await clock.advance(2000);
    prepared.resolve();
    await clock.settle();
    expect([topology.status, prepares, handled]).toEqual(["stopped", 2, []]);
  });

  it("ends a revoke with the pipeline, though an acknowledgement was never answered", async () => {
    const source = new TestSource([1], { acknowledge: () => never });
    const end = deferred();
    const { clock, topology } = await startTopology({
      producer: source as never,
      processor: { handle: () => end.promise },
    });
    await clock.settle();
    const [context] = source.contexts as [ProducerContext];
    const revoked = context.revoke(() => true, 60_000);
    end.resolve();
    await clock.settle();
    void topology.stop(0);
    await clock.advance(2000);
    await revoked;
    expect([topology.status, clock.timers]).toEqual(["stopped", 0]);
  });

  it("lowers the concurrency of a batcher before its size", async () => {
    let [running, most] = [0, 0];
    const { clock, topology } = await startTopology<number>({
      producer: new TestSource([1, 2]) as never,
      processor: {
        handle: (message) =>
          message.to("b", message.data, { key: message.data, flush: message.data === 1 }),
      },
      batchers: {
        b: {
          size: 9,
          concurrency: 2,
          handle() {
            most = Math.max(most, ++running);
            return never;
          },
        },
      },
    });
    await clock.settle();
    topology.update({ batchers: { b: { size: 1, concurrency: 1 } } });
    await clock.settle();
    expect(most).toBe(1);
  });

  it("starts nothing behind a message that stops the pipeline, in its other batchers either", async () => {
    const given: unknown[] = [];
    const first = deferred();
    const { clock, topology } = await startTopology<number>({
      producer: new TestSource([1, 2], { releases: false }) as never,
      processor: {
        handle: (message) =>
          message.data === 1 ? [message.to("ordered"), message.to("fatal")] : message.to("ordered"),
      },
      batchers: {
        ordered: {
          size: 1,
          partitionBy: () => "one",
          retry: retry({ attempts: 2, backoff: constant(0) }),
          handle(messages) {
            given.push(...messages.map(({ data }) => data));
            return first.promise;
          },
        },
        fatal: {
          size: 1,
          retry: retry({ attempts: 1, whenExhausted: "stop" }),
          handle() {
            throw new Error("fatal");
          },
        },
      },
    });
    topology.done.catch(() => {});
    await clock.settle();
    first.reject(new Error("later"));
    await clock.advance(60_000);
    expect([topology.status, given]).toEqual(["failed", [1]]);
  });
});
