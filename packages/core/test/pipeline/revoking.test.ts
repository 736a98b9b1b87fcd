import { describe, expect, it } from "vitest";
import { constant, retry } from "westend";
import { deferred, never } from "../support/deferred.ts";
import { startScene } from "../support/scene.ts";
import { stopWithin } from "../support/stopping.ts";
import { ascending, isEven, numbers, TestSource } from "../support/test-source.ts";

describe("revoke", () => {
  it("takes back what was not started, without a release, and leaves the rest alone", async () => {
    const gates = new Map(numbers(1, 10).map((number) => [number, deferred()]));
    const started: number[] = [];
    const { clock, source, running } = await startScene(
      {
        processor: {
          concurrency: 2,
          handle(message: any) {
            started.push(message.data);
            return gates.get(message.data)?.promise;
          },
        },
      },
      new TestSource(numbers(1, 10)),
    );
    let revoked = false;
    void source.contexts[0]?.revoke(isEven).then(() => (revoked = true));
    await clock.settle();
    expect(revoked).toBe(false);
    for (const { resolve } of gates.values()) resolve();
    await clock.settle();
    expect(revoked).toBe(true);
    expect(started).toEqual([1, 2, 3, 5, 7, 9]);
    expect(ascending(source.acknowledged)).toEqual([1, 2, 3, 5, 7, 9]);
    expect(source.released).toEqual([]);
    expect(running.stats()).toMatchObject({ received: 10, succeeded: 6, released: 4, inFlight: 0 });
    await stopWithin(clock, running, 0);
    expect(clock.timers).toBe(0);
  });

  it("resolves after its timeout, and ignores what ends later", async () => {
    const gate = deferred();
    const signals: AbortSignal[] = [];
    const { clock, source, running } = await startScene(
      {
        processor: {
          concurrency: 1,
          handle(message: any, signal: AbortSignal) {
            signals.push(signal);
            return message.data === 2 ? gate.promise : undefined;
          },
        },
      },
      new TestSource([2, 3]),
    );
    let revoked = false;
    void source.contexts[0]?.revoke(isEven, 500).then(() => (revoked = true));
    await clock.advance(499);
    expect(revoked).toBe(false);
    await clock.advance(1);
    expect(revoked).toBe(true);
    expect(signals[0]?.reason).toMatchObject({ code: "WESTEND_ERR_STOPPED" });
    gate.resolve();
    await clock.settle();
    expect(source.acknowledged).toEqual([3]);
    expect(running.stats()).toMatchObject({ succeeded: 1, abandoned: 1, inFlight: 0 });
    await stopWithin(clock, running, 0);
  });

  it("waits until what ended before it has been acknowledged", async () => {
    const gate = deferred();
    const { clock, source, running } = await startScene(
      {},
      new TestSource([2], { acknowledge: (usual) => gate.promise.then(usual) }),
    );
    let revoked = false;
    void source.contexts[0]?.revoke(isEven, 5000).then(() => (revoked = true));
    await clock.settle();
    expect(revoked).toBe(false);
    gate.resolve();
    await clock.settle();
    expect(revoked).toBe(true);
    await stopWithin(clock, running, 100);
  });

  it("tells the source at once of what has ended and was not told yet", async () => {
    const { clock, source, running } = await startScene(
      { maxInFlight: 100, processor: { handle: ({ data }: any) => (data === 1 ? never : null) } },
      new TestSource([]),
    );
    source.push(1);
    await clock.settle();
    source.push(2, 4, 6);
    const revoked = source.contexts[0]?.revoke(isEven, 5000);
    await revoked;
    expect(source.acknowledged).toEqual([2, 4, 6]);
    await stopWithin(clock, running, 100);
  });

  it("says nothing more of what its source would not take by the timeout", async () => {
    const { clock, source, running } = await startScene(
      {},
      new TestSource([1, 2], {
        acknowledge: (usual, { succeeded }) =>
          succeeded.length > 1 ? { refused: succeeded } : usual(),
      }),
    );
    const revoked = source.contexts[0]?.revoke(isEven, 50);
    await clock.advance(50);
    await revoked;
    await clock.advance(60_000);
    expect(source.acknowledged).toEqual([1]);
    expect(running.stats().inFlight).toBe(0);
    await stopWithin(clock, running, 0);
  });

  it("says nothing more of what its source would not take before its end", async () => {
    const answer = deferred();
    let calls = 0;
    const { clock, source, running } = await startScene(
      { processor: { handle: (message: any) => void message.ackNow().catch(() => {}) } },
      new TestSource([2], {
        acknowledge: () => {
          calls++;
          return answer.promise;
        },
      }),
    );
    const revoked = source.contexts[0]?.revoke(isEven, 50);
    await clock.advance(50);
    await revoked;
    answer.reject(new Error("down"));
    await clock.advance(60_000);
    expect(calls).toBe(1);
    expect(running.stats().inFlight).toBe(0);
    await stopWithin(clock, running, 0);
  });

  it("frees at once the key of what waits for another try", async () => {
    const handled: number[] = [];
    const { clock, source, running } = await startScene(
      {
        processor: {
          partitionBy: () => "same",
          retry: retry({ attempts: 5, backoff: constant(60_000) }),
          handle({ data }: any) {
            handled.push(data);
            if (data === 2) throw new Error("spoilt");
          },
        },
      },
      new TestSource([2, 3]),
    );
    await source.contexts[0]?.revoke(isEven, 1000);
    expect(handled).toEqual([2, 3]);
    expect(running.stats().processor.waiting).toBe(0);
    await stopWithin(clock, running, 0);
  });

  it("takes back what fails meanwhile and would be tried again", async () => {
    const gate = deferred();
    let handled = 0;
    const { clock, source, running } = await startScene(
      {
        processor: {
          retry: retry({ attempts: 5, backoff: constant(0) }),
          handle() {
            handled++;
            return gate.promise;
          },
        },
      },
      new TestSource([2]),
    );
    const revoked = source.contexts[0]?.revoke(isEven, 5000);
    await clock.settle();
    gate.reject(new Error("spoilt"));
    await clock.settle();
    await revoked;
    await clock.advance(60_000);
    expect(handled).toBe(1);
    expect(running.stats()).toMatchObject({ released: 1, inFlight: 0 });
    await stopWithin(clock, running, 0);
  });

  it("writes no letter any more of what it had to give up", async () => {
    const written: unknown[] = [];
    let works = false;
    const { clock, source, running } = await startScene(
      {
        processor: {
          handle() {
            throw new Error("spoilt");
          },
        },
        deadLetter: {
          name: "dlq",
          write(letters: any[]) {
            if (!works) throw new Error("down");
            written.push(...letters.map(({ payload }) => payload));
          },
        },
      },
      new TestSource([1, 2]),
    );
    const revoked = source.contexts[0]?.revoke(isEven, 50);
    await clock.advance(50);
    await revoked;
    works = true;
    await clock.advance(60_000);
    expect(written).toEqual([1]);
    expect(running.stats()).toMatchObject({ deadLettersPending: 0, deadLettered: 1, abandoned: 1 });
    await stopWithin(clock, running, 0);
  });

  it("waits for a handler whose message was acknowledged before its end", async () => {
    const gate = deferred();
    const { clock, source, running } = await startScene(
      {
        processor: {
          async handle(message: any) {
            await message.ackNow();
            await gate.promise;
          },
        },
      },
      new TestSource([2]),
    );
    let revoked = false;
    void source.contexts[0]?.revoke(isEven, 5000).then(() => (revoked = true));
    await clock.settle();
    expect(revoked).toBe(false);
    gate.resolve();
    await clock.settle();
    expect(revoked).toBe(true);
    expect(running.stats()).toMatchObject({ succeeded: 1, abandoned: 0 });
    await stopWithin(clock, running, 0);
  });

  it("by a session that was given up takes nothing back of the one that came after it", async () => {
    const brought = [[[2]], [[4, 6, 8]]];
    const gates = new Map([2, 4, 6, 8].map((number) => [number, deferred()]));
    const { clock, source, running } = await startScene(
      {
        maxInFlight: 3,
        processor: { concurrency: 2, handle: ({ data }: any) => gates.get(data)?.promise },
      },
      new TestSource([], {
        // The first session fails; what the second brings, there is not room for.
        pull: (_usual, _demand, _signal, session) => {
          const came = brought[session]?.shift();
          if (came === undefined && session === 0) throw new Error("lost");
          return (came ?? []).map((payload) => ({ payload, metadata: { index: payload } }));
        },
        idle: 10,
      }),
    );
    await clock.advance(10_000);
    expect(source.contexts).toHaveLength(2);
    const revoked = source.contexts[0]?.revoke(isEven, 50);
    await clock.advance(50);
    await revoked;
    for (const { resolve } of gates.values()) resolve();
    await clock.settle();
    expect(source.acknowledgements.map(({ payload, session }) => [payload, session])).toEqual([
      [4, 1],
      [6, 1],
      [8, 1],
    ]);
    expect(running.stats()).toMatchObject({ received: 4, succeeded: 3, abandoned: 1, inFlight: 0 });
    await stopWithin(clock, running, 0);
  });

  it("before anything came resolves at once", async () => {
    let revoked = false;
    const { clock, running } = await startScene(
      {},
      new TestSource([2], {
        open: async (_session, context) => {
          await context.revoke(isEven);
          revoked = true;
        },
      }),
    );
    expect(revoked).toBe(true);
    expect(running.stats()).toMatchObject({ received: 1, succeeded: 1 });
    await stopWithin(clock, running, 0);
  });

  it("does not outlive the pipeline", async () => {
    const { clock, source, running } = await startScene(
      { processor: { handle: () => never } },
      new TestSource([2]),
    );
    let revoked = false;
    void source.contexts[0]?.revoke(isEven, 60_000).then(() => (revoked = true));
    await stopWithin(clock, running, 100);
    await clock.settle();
    expect(revoked).toBe(true);
    expect(clock.timers).toBe(0);
  });
});
