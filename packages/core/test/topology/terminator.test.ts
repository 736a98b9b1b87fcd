import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { Terminator, type TerminatorOptions } from "../../src/topology/terminator.ts";
import { never } from "../support/deferred.ts";

function terminating(options: Partial<TerminatorOptions> = {}) {
  const clock = virtualClock();
  const calls: [string, number][] = [];
  const note = (call: string) => async (): Promise<void> => void calls.push([call, clock.now()]);
  const terminator = new Terminator({
    clock,
    drainProducers: note("drainProducers"),
    stopTaking: () => void calls.push(["stopTaking", clock.now()]),
    finished: () => true,
    released: note("released"),
    abandon: () => void calls.push(["abandon", clock.now()]),
    close: note("close"),
    ...options,
  });
  const drain = async (milliseconds: number): Promise<number | undefined> => {
    let took: number | undefined;
    void terminator.drain(milliseconds).then(() => (took = clock.now()));
    await clock.advance(milliseconds + 2000);
    return took;
  };
  return { clock, calls, terminator, drain };
}

describe("Terminator", () => {
  it("stops pulling before anything goes back, and closes last", async () => {
    const { calls, drain } = terminating();
    await drain(1000);
    expect(calls.map(([call]) => call)).toEqual([
      "drainProducers",
      "stopTaking",
      "stopTaking",
      "released",
      "close",
    ]);
  });

  it("waits until everything has ended, and no longer", async () => {
    let finished = false;
    const { clock, calls, terminator, drain } = terminating({ finished: () => finished });
    clock.setTimer(() => {
      finished = true;
      terminator.check();
    }, 300);
    expect(await drain(1000)).toBe(300);
    expect(calls.map(([call]) => call)).not.toContain("abandon");
  });

  it("abandons at the deadline what has not ended", async () => {
    const { calls, drain } = terminating({ finished: () => false });
    expect(await drain(1000)).toBe(1000);
    expect(calls.slice(-3)).toEqual([
      ["abandon", 1000],
      ["released", 1000],
      ["close", 1000],
    ]);
  });

  it.each<[keyof TerminatorOptions, number]>([
    ["drainProducers", 1000],
    ["released", 1000],
    ["close", 500],
  ])("ends in time although %s hangs", async (call, took) => {
    expect(await terminating({ [call]: () => never }).drain(1000)).toBe(took);
  });

  it("ends within a second of the deadline although all hang", async () => {
    const hanging = terminating({
      finished: () => false,
      drainProducers: () => never,
      released: () => never,
      close: () => never,
    });
    expect(await hanging.drain(1000)).toBe(2000);
    expect(hanging.clock.timers).toBe(0);
  });

  it.each<[string, number, number]>([
    ["brings its deadline forward", 200, 300],
    ["brings its deadline forward to now", 0, 100],
    ["never puts its deadline off", 5000, 1000],
  ])("%s when it is hastened", async (_, milliseconds, took) => {
    const { clock, terminator, drain } = terminating({ finished: () => false });
    clock.setTimer(() => terminator.hasten(milliseconds), 100);
    expect(await drain(1000)).toBe(took);
    expect(clock.timers).toBe(0);
  });

  it("is not hastened before it drains, nor in the time it has after the deadline", async () => {
    const { clock, terminator, drain } = terminating({ close: () => never });
    terminator.hasten(0);
    clock.setTimer(() => terminator.hasten(0), 100);
    expect(await drain(1000)).toBe(500);
    expect(clock.timers).toBe(0);
  });

  it("leaves no timer behind", async () => {
    const { clock, drain } = terminating();
    await drain(60_000);
    expect(clock.timers).toBe(0);
  });
});
