import { ConfigurationError, definePipeline, interval, type Tick } from "westend";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { sleep } from "../support/sleep.ts";
import { stopWithin } from "../support/stopping.ts";

async function beating(milliseconds: number, handle?: () => unknown) {
  const clock = virtualClock(1_000_000);
  const ticks: Tick[] = [];
  const running = await definePipeline<any, void, Tick>({
    name: "interval",
    producer: interval(milliseconds),
    maxInFlight: 1,
    processor: {
      concurrency: 1,
      handle(message): any {
        ticks.push(message.data);
        return handle?.call(clock);
      },
    },
  }).start({ clock });
  return { clock, ticks, running };
}

describe("interval", () => {
  it("gives a message at every beat, the first after one interval", async () => {
    const { clock, ticks, running } = await beating(1000);
    await clock.advance(999);
    expect(ticks).toEqual([]);
    await clock.advance(1);
    expect(ticks).toEqual([{ tick: 0, at: 1_001_000 }]);
    await clock.advance(2000);
    expect(ticks.map(({ tick, at }) => [tick, at])).toEqual([
      [0, 1_001_000],
      [1, 1_002_000],
      [2, 1_003_000],
    ]);
    await stopWithin(clock, running, 1000);
    expect(clock.timers).toBe(0);
  });

  it("does not make up for beats nobody had room for, and counts them", async () => {
    const { clock, ticks, running } = await beating(100, function (this: any) {
      return sleep(this, 350);
    });
    await clock.advance(1000);
    expect(ticks.map(({ tick }) => tick)).toEqual([0, 3, 7]);
    expect(ticks.map(({ at }) => at)).toEqual([1_000_100, 1_000_400, 1_000_800]);
    await stopWithin(clock, running, 1000);
  });

  it("does not drift", async () => {
    const { clock, ticks, running } = await beating(100, function (this: any) {
      return sleep(this, 30);
    });
    await clock.advance(10_000);
    expect(ticks.at(-1)).toEqual({ tick: 99, at: 1_010_000 });
    expect(ticks).toHaveLength(100);
    await stopWithin(clock, running, 1000);
  });

  it("beats on after a pause, without what was missed", async () => {
    const { clock, ticks, running } = await beating(100);
    await clock.advance(200);
    running.pause();
    await clock.advance(1000);
    running.resume();
    await clock.advance(100);
    const counted = ticks.map(({ tick }) => tick);
    expect(counted.length).toBeLessThanOrEqual(5);
    expect(counted.at(-1)).toBe(12);
    await stopWithin(clock, running, 1000);
  });

  it.each([0, -1, 0.5, Number.NaN, "100"])("refuses an interval of %s", (milliseconds) => {
    expect(() => interval(milliseconds as number)).toThrow(ConfigurationError);
  });
});
