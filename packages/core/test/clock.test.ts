import { afterEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../src/clock.ts";

afterEach(() => vi.useRealTimers());

describe("systemClock", () => {
  it("runs a timer", async () => {
    const ran = new Promise<string>((resolve) => systemClock.setTimer(() => resolve("ran"), 0));
    expect(await ran).toBe("ran");
  });

  it("does not run a timer that was cleared", () => {
    vi.useFakeTimers();
    const callback = vi.fn<() => void>();
    systemClock.clearTimer(systemClock.setTimer(callback, 10));
    vi.advanceTimersByTime(100);
    expect(callback).not.toHaveBeenCalled();
  });

  it("waits for weeks rather than a millisecond when a timer is longer than Node can", () => {
    vi.useFakeTimers();
    const callback = vi.fn<() => void>();
    systemClock.setTimer(callback, 2 ** 40);
    systemClock.setTimer(callback, Infinity);
    vi.advanceTimersByTime(1_000_000_000);
    expect(callback).not.toHaveBeenCalled();
  });

  it("defers until micro-tasks and pending timers had their turn", async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      // From within a turn for I/O the timers come first.
      setImmediate(() => {
        systemClock.defer(() => {
          order.push("deferred");
          resolve();
        });
        process.nextTick(() => order.push("tick"));
        queueMicrotask(() => order.push("micro-task"));
      });
    });
    expect(order).toEqual(["tick", "micro-task", "deferred"]);
  });

  it("never goes back, whatever the wall clock does", () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const before = systemClock.now();
    vi.setSystemTime(0);
    expect(systemClock.now()).toBeGreaterThanOrEqual(before);
    expect(systemClock.date()).toBe(0);
  });
});
