import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Bars } from "../src/bars.ts";
import type { Ending } from "../src/look.ts";
import { FakeTerminal } from "./support/fake-terminal.ts";
import { statsWith } from "./support/stats.ts";

const lookAt = (stats: ReturnType<typeof statsWith>, ending: Ending = "running") => ({
  pipeline: "orders",
  ending,
  elapsed: 1000,
  stats,
});

describe("Bars", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it("shows how much is done of what is known, the rate, and the time left by that rate", () => {
    const terminal = new FakeTerminal();
    const bars = new Bars(terminal);
    const rate = { received: 100, settled: 100 };
    bars.show(
      lookAt(
        statsWith(
          { received: 2600, released: 50, succeeded: 2000, failed: 500, inFlight: 50, rate },
          7000,
          450,
        ),
      ),
    );
    vi.advanceTimersByTime(250);
    bars.stop();

    expect(terminal.lastLine).toBe(
      `orders ${"█".repeat(6)}${"░".repeat(18)} 25%  2,500/10,000  100/s  ETA 1 min 15 s  failed 500  p99 0 ms`,
    );
  });

  it("says that the time left is unknown while nothing moves", () => {
    const terminal = new FakeTerminal();
    const bars = new Bars(terminal);
    bars.show(lookAt(statsWith({}, 10)));
    bars.stop();

    expect(terminal.lastLine).toContain("0%  0/10  0/s  ETA unknown");
  });

  it("shows nothing of a pipeline with a source that does not know its size", () => {
    const terminal = new FakeTerminal();
    const bars = new Bars(terminal);

    expect(bars.show(lookAt(statsWith({}, 10, undefined)))).toBe(false);
    expect(bars.visible).toBe(false);
    expect(terminal.written).toBe("");
  });

  it("is full when the source has ended and does not know any more", () => {
    const terminal = new FakeTerminal();
    const bars = new Bars(terminal);
    bars.show(lookAt(statsWith({ received: 5, succeeded: 5 }, 10)));
    bars.show(lookAt(statsWith({ succeeded: 14, status: "stopped" }, undefined), "ended"));
    bars.stop();

    expect(terminal.lastLine).toContain("100%  14/14");
  });

  it("counts once what is settled and still in flight, as it is not acknowledged yet", () => {
    const terminal = new FakeTerminal();
    const bars = new Bars(terminal);
    bars.show(lookAt(statsWith({ received: 5, succeeded: 5, inFlight: 5 }, 5)));
    bars.stop();

    expect(terminal.lastLine).toContain("50%  5/10");
  });

  it("stays where it was when the pipeline was drained", () => {
    const terminal = new FakeTerminal();
    const bars = new Bars(terminal);
    bars.show(lookAt(statsWith({ received: 5, succeeded: 5 }, 5)));
    bars.show(lookAt(statsWith({ succeeded: 6, status: "stopped" }, undefined), "drained"));
    bars.stop();

    expect(terminal.lastLine).toContain("60%  6/10");
  });

  it("writes lines above the bars, and the bars again", () => {
    const terminal = new FakeTerminal();
    const bars = new Bars(terminal);
    bars.show(lookAt(statsWith({}, 10)));
    vi.advanceTimersByTime(250);
    terminal.written = "";
    bars.log("something happened");
    vi.advanceTimersByTime(250);

    expect(terminal.written).toMatch(/something happened\S*\n[^\n]*orders ░/);
    bars.stop();
  });

  it("gives the cursor back and draws no more once stopped", () => {
    const terminal = new FakeTerminal();
    const bars = new Bars(terminal);
    bars.show(lookAt(statsWith({}, 10)));
    bars.stop();
    const { written } = terminal;
    vi.advanceTimersByTime(5000);

    expect(written).toContain("\u001b[?25h");
    expect(terminal.written).toBe(written);
    expect(vi.getTimerCount()).toBe(0);
  });
});
