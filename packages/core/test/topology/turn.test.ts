import { describe, expect, it } from "vitest";
import type { Clock } from "../../src/clock.ts";
import { Turn } from "../../src/topology/turn.ts";

/** Time that passes by what steps cost, and deferred work that waits to be run. */
function work() {
  let now = 0;
  const deferred: (() => void)[] = [];
  let resumed = 0;
  const clock = {
    now: () => now,
    defer: (callback: () => void) => void deferred.push(callback),
  } as unknown as Clock;
  const turn = new Turn(clock, () => void resumed++);
  return {
    turn,
    deferred,
    resumed: () => resumed,
    /** Steps made before the turn is spent; at most a million. */
    steps(milliseconds: number): number {
      for (let step = 0; step < 1_000_000; step++) {
        if (turn.spent()) return step;
        now += milliseconds;
      }
      return 1_000_000;
    },
  };
}

describe("Turn", () => {
  it("lasts for tens of thousands of steps that take no time", () => {
    expect(work().steps(0)).toBeGreaterThan(30_000);
  });

  it("is spent at last by steps that take no time, and so is the next one", () => {
    const { steps, deferred } = work();
    const first = steps(0);
    deferred.splice(0).forEach((callback) => callback());
    expect([first, steps(0)].every((count) => count < 40_000)).toBe(true);
  });

  it("is spent after some milliseconds of short steps", () => {
    const milliseconds = work().steps(0.01) * 0.01;
    expect(milliseconds).toBeGreaterThanOrEqual(4);
    expect(milliseconds).toBeLessThan(5);
  });

  it("learns that steps are long: a later turn is spent after a few of them", () => {
    const { steps, deferred } = work();
    steps(1.5);
    deferred.splice(0).forEach((callback) => callback());
    steps(1.5);
    deferred.splice(0).forEach((callback) => callback());
    expect(steps(1.5) * 1.5).toBeLessThan(8);
  });

  it("stays spent until the event loop had its turn, and defers once", () => {
    const { turn, steps, deferred } = work();
    steps(1);
    expect([turn.spent(), turn.spent(), deferred.length]).toEqual([true, true, 1]);
  });

  it("resumes the work after the event loop had its turn", () => {
    const { turn, steps, deferred, resumed } = work();
    steps(1);
    expect(resumed()).toBe(0);
    deferred[0]?.();
    expect([resumed(), turn.spent()]).toEqual([1, false]);
  });
});
