import { describe, expect, it } from "vitest";
import { Bars } from "../src/bars.ts";
import type { Ending, Look } from "../src/look.ts";
import type { Paint } from "../src/paint.ts";
import { TextReporter } from "../src/text-reporter.ts";
import { FakeTerminal } from "./support/fake-terminal.ts";
import { statsWith } from "./support/stats.ts";

const plain = (text: string): string => text;
const paint: Paint = { bold: plain, dim: plain, red: plain, yellow: plain };

function reporting(): { reporter: TextReporter; err: FakeTerminal; bars: Bars } {
  const [out, err] = [new FakeTerminal(), new FakeTerminal()];
  const bars = new Bars(err);
  const reporter = new TextReporter({
    out: { stream: out, paint },
    err: { stream: err, paint },
    bars,
    quiet: false,
    verbose: false,
  });
  return { reporter, err, bars };
}

const look = (pipeline: string, ending: Ending, stats = statsWith()): Look => ({
  pipeline,
  ending,
  elapsed: 1000,
  stats,
});

describe("TextReporter", () => {
  it("prints no summary of a pipeline that has ended", () => {
    const { reporter, err } = reporting();
    reporter.tick([look("over", "ended"), look("on", "running")], undefined);

    expect(err.written).toMatch(/^on {4}in 0\/s .*\n$/);
  });

  it("says for how long something has gone wrong, if it is long", () => {
    const { reporter, err } = reporting();
    const trouble = { pipeline: "on", what: "batcher db failed", error: "Error: down", count: 9 };
    reporter.tick([], { ...trouble, first: 0, last: 9_000 });
    reporter.tick([], { ...trouble, first: 0, last: 200_000 });

    expect(err.written).toBe(
      "on  9 × batcher db failed: Error: down\non  9 × batcher db failed: Error: down (for 3 min 20 s)\n",
    );
  });

  it("fills the bar of a pipeline that has ended while others go on", () => {
    const { reporter, err, bars } = reporting();
    reporter.tick(
      [look("orders", "running", statsWith({ received: 1, succeeded: 1 }, 2))],
      undefined,
    );
    reporter.tick([look("orders", "ended", statsWith({ received: 3, succeeded: 3 }))], undefined);
    bars.stop();

    expect(err.lastLine).toContain("100%  3/3");
  });
});
