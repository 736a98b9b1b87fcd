import { describe, expect, it } from "vitest";
import { deferred, never } from "../support/deferred.ts";
import { startScene } from "../support/scene.ts";
import { sleep } from "../support/sleep.ts";
import { stopWithin } from "../support/stopping.ts";
import { numbers, TestSource } from "../support/test-source.ts";

describe("push", () => {
  it("resolves with what became of each message, in order", async () => {
    const spoilt = new Error("spoilt");
    const { clock, running } = await startScene({
      processor: {
        async handle(message: any) {
          await sleep(clock, (10 - message.data) * 10);
          if (message.data === 2) throw spoilt;
          if (message.data === 3) message.drop("not wanted");
        },
      },
    });
    let outcomes: unknown;
    void running.push([1, 2, 3, 4]).then((value) => (outcomes = value));
    await clock.advance(500);
    expect(outcomes).toEqual([
      { outcome: "succeeded", reason: undefined },
      { outcome: "failed", reason: spoilt },
      { outcome: "dropped", reason: "not wanted" },
      { outcome: "succeeded", reason: undefined },
    ]);
    await stopWithin(clock, running, 0);
  });

  it("says when a message was dead-lettered", async () => {
    const { clock, running } = await startScene({
      processor: {
        handle() {
          throw "spoilt";
        },
      },
      deadLetter: { name: "dlq", write() {} },
    });
    expect(await running.push([1])).toEqual([{ outcome: "deadLettered", reason: "spoilt" }]);
    await stopWithin(clock, running, 0);
  });

  it("tells of the end of a message, though it was acknowledged before", async () => {
    const spoilt = new Error("spoilt");
    const gate = deferred();
    const { clock, running } = await startScene({
      processor: {
        async handle(message: any) {
          await message.ackNow();
          await gate.promise;
          throw spoilt;
        },
      },
    });
    let outcomes: unknown;
    void running.push([1]).then((value) => (outcomes = value));
    await clock.settle();
    expect(outcomes).toBeUndefined();
    gate.resolve();
    await clock.settle();
    expect(outcomes).toEqual([{ outcome: "failed", reason: spoilt }]);
    await stopWithin(clock, running, 0);
  });

  it("says that a message was abandoned, though it was acknowledged before", async () => {
    const { clock, running } = await startScene({
      processor: {
        async handle(message: any) {
          await message.ackNow();
          await never;
        },
      },
    });
    const pushed = running.push([1]);
    await clock.settle();
    await stopWithin(clock, running, 100);
    expect(await pushed).toEqual([{ outcome: "abandoned", reason: undefined }]);
  });

  it("waits until the batch of a message has ended", async () => {
    const { clock, running } = await startScene({
      processor: { handle: (message: any) => message.to("sink") },
      batchers: { sink: { size: 10, timeout: 500, handle() {} } },
    });
    let done = false;
    void running.push([1, 2]).then(() => (done = true));
    await clock.advance(499);
    expect(done).toBe(false);
    await clock.advance(1);
    expect(done).toBe(true);
    await stopWithin(clock, running, 0);
  });

  it("resolves at once with nothing for nothing", async () => {
    const { clock, running } = await startScene();
    expect(await running.push([])).toEqual([]);
    await stopWithin(clock, running, 0);
  });

  it("gives the message its key and metadata", async () => {
    const seen: unknown[] = [];
    const { clock, running } = await startScene({
      processor: {
        handle: ({ key, metadata, source, data }: any) =>
          void seen.push({ key, metadata, source, data }),
      },
    });
    await running.push([1], { key: "k", metadata: { index: 7 } });
    expect(seen).toEqual([{ key: "k", metadata: { index: 7 }, source: "push", data: 1 }]);
    await stopWithin(clock, running, 0);
  });

  it("waits for room, and keeps the order", async () => {
    const order: number[] = [];
    let most = 0;
    const { clock, running } = await startScene({
      maxInFlight: 3,
      processor: {
        concurrency: 1,
        handle: async (message: any) => {
          most = Math.max(most, running0().stats().inFlight);
          order.push(message.data);
          await sleep(clock, 10);
        },
      },
    });
    function running0() {
      return running;
    }
    const pushed = Promise.all([running.push(numbers(1, 10)), running.push(numbers(11, 20))]);
    await clock.advance(1000);
    await pushed;
    expect(order).toEqual(numbers(1, 20));
    expect(most).toBeLessThanOrEqual(3);
    await stopWithin(clock, running, 0);
  });

  it("goes beside the source, without starving it", async () => {
    const { clock, source, running } = await startScene(
      { maxInFlight: 10, processor: { concurrency: 2, handle: () => sleep(clock0(), 10) } },
      new TestSource([]),
    );
    function clock0() {
      return clock;
    }
    const pushed = running.push(numbers(1, 50));
    source.push(...numbers(1, 50));
    await clock.advance(10_000);
    expect(await pushed).toHaveLength(50);
    expect(source.acknowledged).toHaveLength(50);
    await stopWithin(clock, running, 0);
  });

  it("waits while the pipeline is paused", async () => {
    const { clock, running } = await startScene();
    running.pause();
    let done = false;
    void running.push([1]).then(() => (done = true));
    await clock.advance(1000);
    expect(done).toBe(false);
    running.resume();
    await clock.settle();
    expect(done).toBe(true);
    await stopWithin(clock, running, 0);
  });

  it("keeps a pipeline whose source has ended from ending before it is done", async () => {
    const gate = deferred();
    const source = new TestSource([], {});
    const { clock, running } = await startScene(
      { processor: { handle: () => gate.promise } },
      source,
    );
    const pushed = running.push([1]);
    await clock.settle();
    source.ended = true;
    source.wake();
    await clock.settle();
    expect(running.status).toBe("running");
    gate.resolve();
    expect(await pushed).toMatchObject([{ outcome: "succeeded" }]);
    expect(await running.done).toMatchObject({ received: 1, succeeded: 1 });
  });

  it("rejects with a StoppedError once the pipeline is stopped, or drains", async () => {
    const { clock, running } = await startScene(
      { processor: { handle: () => never } },
      new TestSource([1]),
    );
    const stopped = running.stop({ timeout: 1000 });
    await expect(running.push([2])).rejects.toMatchObject({
      code: "WESTEND_ERR_STOPPED",
      message: expect.stringContaining("draining"),
    });
    await clock.advance(2000);
    await stopped;
    await expect(running.push([2])).rejects.toMatchObject({
      code: "WESTEND_ERR_STOPPED",
      message: expect.stringContaining("stopped"),
    });
  });

  it("finishes what was pushed before a drain", async () => {
    const { clock, running } = await startScene({
      processor: { concurrency: 1, handle: () => sleep(clock, 10) },
    });
    const pushed = running.push([1, 2, 3]);
    await clock.settle();
    await stopWithin(clock, running, 5000);
    expect((await pushed).map(({ outcome }) => outcome)).toEqual([
      "succeeded",
      "succeeded",
      "succeeded",
    ]);
  });

  it("says what a stop left: abandoned if it ran, released if it still waited for room", async () => {
    const { clock, running } = await startScene({
      maxInFlight: 2,
      processor: { handle: () => never },
    });
    const pushed = running.push([1, 2, 3, 4]);
    await clock.settle();
    const { report } = await stopWithin(clock, running, 100);
    expect((await pushed).map(({ outcome }) => outcome)).toEqual([
      "abandoned",
      "abandoned",
      "released",
      "released",
    ]);
    expect(report).toMatchObject({ received: 2, abandoned: 2 });
  });

  it("answers although closing another producer hangs", async () => {
    const { clock, running } = await startScene(
      { maxInFlight: 1, processor: { handle: () => never } },
      new TestSource([], { close: () => never }),
    );
    const pushed = running.push([1, 2]);
    await clock.settle();
    await stopWithin(clock, running, 100);
    expect((await pushed).map(({ outcome }) => outcome)).toEqual(["abandoned", "released"]);
  });
});

describe("push beside a pull that waits", () => {
  const open = (): { readonly come: (count: number) => void; readonly source: TestSource } => {
    let arrive: (() => void) | undefined;
    const source = new TestSource([], {
      pull: async (usual) => {
        await new Promise<void>((resolve) => (arrive = resolve));
        return usual();
      },
    });
    return {
      source,
      come(count) {
        source.push(...numbers(1, count));
        arrive?.();
      },
    };
  };

  it("has room at once, though the pull was asked for all there is", async () => {
    const { source } = open();
    const { clock, running } = await startScene({ maxInFlight: 1 }, source);
    expect(source.demands).toEqual([1]);
    const pushed = running.push([1, 2, 3]);
    await clock.settle();
    expect(running.stats()).toMatchObject({ received: 3, succeeded: 3 });
    await pushed;
    await stopWithin(clock, running, 0);
  });

  it("never makes for more in flight than maxInFlight: what the pull brings waits for room", async () => {
    const { source, come } = open();
    const gates = numbers(1, 10).map(() => deferred());
    const handled: number[] = [];
    const { clock, running } = await startScene(
      {
        maxInFlight: 4,
        processor: {
          concurrency: 10,
          handle: ({ data }: any) => gates[handled.push(data) - 1]?.promise,
        },
      },
      source,
    );
    void running.push([101, 102, 103]);
    await clock.settle();
    come(4);
    await clock.settle();
    expect(handled).toEqual([101, 102, 103, 1]);
    for (const [ended, { resolve }] of gates.slice(0, 3).entries()) {
      expect(running.stats().inFlight).toBe(4);
      resolve();
      await clock.settle();
      expect(handled).toEqual([101, 102, 103, ...numbers(1, ended + 2)]);
    }
    // Nothing more is asked for while something waits.
    expect(source.demands).toEqual([4]);
    for (const { resolve } of gates) resolve();
    await clock.settle();
    expect(source.acknowledged).toEqual([1, 2, 3, 4]);
    await stopWithin(clock, running, 0);
  });

  it("gives what waits for room back to its source on a drain", async () => {
    const { source, come } = open();
    const { clock, running } = await startScene(
      { maxInFlight: 2, processor: { handle: () => sleep(clock, 50) } },
      source,
    );
    const pushed = running.push([101, 102]);
    await clock.settle();
    come(2);
    await clock.settle();
    expect(source.taken).toEqual([1, 2]);
    const { report } = await stopWithin(clock, running, 1000);
    expect(report).toMatchObject({ received: 4, succeeded: 2, released: 2 });
    expect(source.waiting).toEqual([1, 2]);
    await pushed;
  });

  it("handles what waits for room on a drain where its source cannot take it back", async () => {
    let arrive: (() => void) | undefined;
    let most = 0;
    const source = new TestSource([1, 2, 3], {
      releases: false,
      pull: async (usual) => {
        await new Promise<void>((resolve) => (arrive = resolve));
        return usual();
      },
    });
    const { clock, running } = await startScene(
      {
        maxInFlight: 3,
        processor: {
          handle() {
            most = Math.max(most, running.stats().inFlight);
            return sleep(clock, 50);
          },
        },
      },
      source,
    );
    void running.push([101, 102]);
    await clock.settle();
    arrive?.();
    await clock.settle();
    const { report } = await stopWithin(clock, running, 1000);
    expect(report).toMatchObject({ received: 5, succeeded: 5 });
    expect(source.acknowledged).toEqual([1, 2, 3]);
    expect(most).toBe(3);
  });

  it("keeps the lease of what waits for room", async () => {
    let arrive: (() => void) | undefined;
    const extended: number[][] = [];
    const source = new TestSource([1], {
      lease: 300,
      extend: (messages) => void extended.push(messages.map(({ payload }) => payload)),
      pull: async (usual) => {
        await new Promise<void>((resolve) => (arrive = resolve));
        return usual();
      },
    });
    const { clock, running } = await startScene(
      { maxInFlight: 1, processor: { handle: () => never } },
      source,
    );
    void running.push([101]);
    await clock.settle();
    arrive?.();
    await clock.advance(250);
    expect(extended).toEqual([[1], [1]]);
    await stopWithin(clock, running, 100);
  });

  it("forgets what waits for room when its source takes it back", async () => {
    const { source, come } = open();
    const gate = deferred();
    const handled: number[] = [];
    const { clock, running } = await startScene(
      {
        maxInFlight: 2,
        processor: {
          handle({ data }: any) {
            handled.push(data);
            return gate.promise;
          },
        },
      },
      source,
    );
    void running.push([101, 102]);
    await clock.settle();
    come(2);
    await clock.settle();
    await source.contexts[0]?.revoke(({ payload }) => payload === 1);
    gate.resolve();
    await clock.settle();
    expect(handled).toEqual([101, 102, 2]);
    await stopWithin(clock, running, 0);
  });

  it("goes on while what waits for room is of a session that has failed", async () => {
    let arrive: (() => void) | undefined;
    let pulls = 0;
    const source = new TestSource([1, 2], {
      pull: async (usual) => {
        if (++pulls > 1) return usual();
        await new Promise<void>((resolve) => (arrive = resolve));
        return [...(usual() ?? []), undefined];
      },
    });
    const gate = deferred();
    const { clock, running } = await startScene(
      { maxInFlight: 2, processor: { concurrency: 1, handle: () => gate.promise } },
      source,
    );
    void running.push([101, 102]);
    await clock.settle();
    arrive?.();
    await clock.settle();
    gate.resolve();
    await clock.advance(60_000);
    expect(source.acknowledged).toEqual([1, 2]);
    expect(source.calls).toContain("close 0");
    expect(source.calls).not.toContain("close 1");
    await stopWithin(clock, running, 0);
  });
});
