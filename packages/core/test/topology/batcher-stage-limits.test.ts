import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { batcherRig } from "../support/batcher-rig.ts";
import { routed } from "../support/routed.ts";

describe("BatcherStage", () => {
  it("emits every open batch at once when it is drained, the oldest first", () => {
    const { stage, emitted, clock } = batcherRig();
    for (const key of ["a", "b", "c"]) stage.push(routed(key, { key }));
    stage.drain();
    expect(emitted).toEqual([
      ["flush", "a"],
      ["flush", "b"],
      ["flush", "c"],
    ]);
    expect(stage.waiting).toBe(0);
    expect(clock.timers).toBe(0);
  });

  it("flushes the batch that was opened first, though it may not be the longest or the last touched", () => {
    const { stage, emitted } = batcherRig({ size: 5 });
    for (const key of ["a", "b", "b", "a"]) stage.push(routed(key, { key }));
    stage.flushOldest();
    expect(emitted).toEqual([["flush", "a", "a"]]);
    stage.flushOldest();
    stage.flushOldest();
    expect(emitted).toEqual([
      ["flush", "a", "a"],
      ["flush", "b", "b"],
    ]);
  });

  it("emits batches that are full by a lowered size", () => {
    const { stage, emitted } = batcherRig({ size: 5 });
    for (const data of [1, 2, 3]) stage.push(routed(data, { key: "a" }));
    stage.push(routed(4, { key: "b" }));
    stage.resize(2, 100);
    expect(emitted).toEqual([["size", 1, 2, 3]]);
  });

  it.each([
    ["shortened", 20, 20],
    ["lengthened", 200, 200],
  ])(
    "counts a timeout that is %s from the first message of each open batch",
    async (_, to, due) => {
      const { stage, clock, emitted } = batcherRig({ timeout: 100 });
      stage.push(routed(1));
      await clock.advance(10);
      stage.resize(3, to);
      await clock.advance(due - 11);
      expect(emitted).toEqual([]);
      await clock.advance(1);
      expect(emitted).toEqual([["timeout", 1]]);
    },
  );

  it("forgets everything and leaves no timer when it is killed", async () => {
    const { stage, clock, emitted } = batcherRig();
    stage.push(routed(1));
    stage.kill();
    expect(clock.timers).toBe(0);
    await clock.advance(1000);
    stage.drain();
    expect(emitted).toEqual([]);
    expect(stage.waiting).toBe(0);
  });

  it("begins anew after it was killed", () => {
    const { stage, emitted } = batcherRig({ size: 2 });
    stage.push(routed(1));
    stage.kill();
    for (const data of [2, 3]) stage.push(routed(data));
    expect(emitted).toEqual([["size", 2, 3]]);
  });

  it("reports a crash of what it emits to from the timer", async () => {
    const crash = new Error("crash");
    const crashed = vi.fn<(error: unknown) => void>();
    const emit = (): never => {
      throw crash;
    };
    const { stage, clock } = batcherRig({ emit, crashed });
    stage.push(routed(1));
    await clock.advance(100);
    expect(crashed).toHaveBeenCalledExactlyOnceWith(crash);
  });

  it("uses one timer, however many batches are open", async () => {
    const { stage, clock } = batcherRig();
    for (let key = 0; key < 50; key++) stage.push(routed(key, { key }));
    expect(clock.timers).toBe(1);
  });
});

describe("BatcherStage, when an emitted batch sends more messages to it before `emit` returns", () => {
  it("loses none of them", () => {
    let sent = false;
    const data: unknown[] = [];
    const { stage } = batcherRig({
      bytes: 10,
      size: 100,
      emit({ messages }) {
        data.push(...messages.map((message) => message.data));
        if (!sent) stage.push(routed("meanwhile", { size: 1 }));
        sent = true;
      },
    });
    for (const name of ["first", "second"]) stage.push(routed(name, { size: 8 }));
    stage.drain();
    expect(data).toEqual(["first", "meanwhile", "second"]);
    expect(stage.waiting).toBe(0);
  });

  it("still exceeds no limit", () => {
    const sizes: number[] = [];
    let sent = false;
    const { stage } = batcherRig({
      bytes: 10,
      size: 100,
      emit({ info }) {
        sizes.push(info.bytes);
        if (!sent) stage.push(routed("meanwhile", { size: 5 }));
        sent = true;
      },
    });
    for (const name of ["first", "second"]) stage.push(routed(name, { size: 8 }));
    stage.drain();
    expect(sizes).toEqual([8, 5, 8]);
  });

  it.each(["drain", "expire", "resize"])("emits no batch twice on %s", async (way) => {
    const keys: unknown[] = [];
    const { stage, clock } = batcherRig({
      emit({ info }) {
        keys.push(info.key);
        stage.drain();
      },
    });
    for (const key of ["a", "b", "c"]) stage.push(routed(key, { key }));
    if (way === "drain") stage.drain();
    else if (way === "resize") stage.resize(1, 100);
    else await clock.advance(100);
    expect(keys).toEqual(["a", "b", "c"]);
    expect(stage.waiting).toBe(0);
  });

  it("keeps one timer", async () => {
    let left = 3;
    const { stage, clock } = batcherRig({
      emit() {
        if (left-- > 0) stage.push(routed("more"));
      },
    });
    stage.push(routed("first"));
    await clock.advance(100);
    expect(clock.timers).toBe(1);
  });
});

/** What a batcher is told to do, one thing after the other. */
const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant("push" as const),
      key: fc.constantFrom(undefined, 0, 1),
      weight: fc.integer({ min: 0, max: 4 }),
      bytes: fc.integer({ min: 0, max: 12 }),
      flush: fc.boolean(),
    }),
    fc.record({ do: fc.constant("wait" as const), milliseconds: fc.integer({ min: 1, max: 120 }) }),
    fc.record({ do: fc.constant("resize" as const), size: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ do: fc.constant("flushOldest" as const) }),
  ),
  { maxLength: 40 },
);

describe("BatcherStage, whatever is done to it", () => {
  it("puts each message into exactly one batch, in order, within limits, and no later than its timeout", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (program) => {
        const pushedAt = new Map<number, number>();
        const weights = new Map<number, { weight: number; bytes: number; key: unknown }>();
        const seen: number[] = [];
        let limit = 4;
        const { stage, clock, failures } = batcherRig({
          size: 4,
          bytes: 10,
          timeout: 100,
          weight: ({ data }) => weights.get(data as number)?.weight as number,
          emit({ messages, info }) {
            const ids = messages.map(({ data }) => data as number);
            expect(ids.length).toBeGreaterThan(0);
            expect(ids).toEqual([...ids].sort((a, b) => a - b));
            const of = ids.map(
              (id) => weights.get(id) as NonNullable<ReturnType<typeof weights.get>>,
            );
            expect(of.every(({ key }) => key === info.key)).toBe(true);
            const bytes = of.reduce((sum, one) => sum + one.bytes, 0);
            expect(info.bytes).toBe(bytes);
            if (ids.length > 1) {
              expect(bytes).toBeLessThanOrEqual(10);
              expect(of.reduce((sum, { weight }) => sum + weight, 0)).toBeLessThanOrEqual(limit);
            }
            expect(clock.now() - (pushedAt.get(ids[0] as number) as number)).toBeLessThanOrEqual(
              100,
            );
            seen.push(...ids);
          },
        });
        let id = 0;
        for (const step of program) {
          if (step.do === "push") {
            weights.set(id, step);
            pushedAt.set(id, clock.now());
            stage.push(routed(id++, { key: step.key, size: step.bytes, flush: step.flush }));
          } else if (step.do === "wait") await clock.advance(step.milliseconds);
          else if (step.do === "flushOldest") stage.flushOldest();
          else {
            // Only what is full by the new limit is emitted, and it kept to the old one.
            limit = Math.max(limit, step.size);
            stage.resize(step.size, 100);
            limit = step.size;
          }
          expect(stage.waiting).toBe(id - seen.length);
        }
        stage.drain();
        expect(failures).toEqual([]);
        expect(seen.length).toBe(id);
        expect(new Set(seen).size).toBe(id);
        expect(clock.timers).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
