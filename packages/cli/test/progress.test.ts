import { describe, expect, it } from "vitest";
import { Progress, whereabouts } from "../src/progress.ts";
import { statsWith } from "./support/stats.ts";

const SECOND = 1000;

describe("Progress", () => {
  it("speaks up after ten seconds, and once a minute from then on", () => {
    const progress = new Progress(0);
    const spoken: number[] = [];
    for (let now = 0; now <= 150 * SECOND; now += SECOND) {
      if (progress.standing(now) !== undefined) spoken.push(now / SECOND);
    }

    expect(spoken).toEqual([10, 70, 130]);
  });

  it("counts from the last message that has ended, however it has", () => {
    const progress = new Progress(0);
    const [busy, moved] = [statsWith({ inFlight: 1 }), statsWith({ inFlight: 1, released: 1 })];
    progress.standingOf(busy, 5 * SECOND);
    progress.standingOf(moved, 9 * SECOND);

    expect(progress.standingOf(moved, 18 * SECOND)).toBeUndefined();
    expect(progress.standingOf(moved, 19 * SECOND)).toBe(10 * SECOND);
  });

  it("does not mind that nothing ends while nothing is in flight", () => {
    const progress = new Progress(0);
    progress.standingOf(statsWith(), 60 * SECOND);

    expect(progress.standingOf(statsWith({ inFlight: 1 }), 69 * SECOND)).toBeUndefined();
    expect(progress.standingOf(statsWith({ inFlight: 1 }), 70 * SECOND)).toBe(10 * SECOND);
  });
});

describe("whereabouts", () => {
  it("names the stages that hold messages, and why", () => {
    const { processor } = statsWith();
    const batcher = {
      concurrency: 2,
      open: 3,
      queued: 1200,
      waiting: 0,
      running: 2,
      workload: 1,
      batches: 9,
      messages: 900,
      retries: 0,
      triggers: { size: 9, bytes: 0, split: 0, timeout: 0, flush: 0 },
    };
    const stats = statsWith({
      processor: { ...processor, running: 10, ready: 90, blocked: 2, waiting: 5 },
      batchers: { db: batcher, idle: { ...batcher, open: 0, queued: 0, running: 0 } },
      deadLettersPending: 7,
    });

    expect(whereabouts(stats)).toBe(
      "processor 10/10 busy, 90 ready, 2 behind others of their key, 5 to be tried again; " +
        "batcher db 2/2 busy, 3 collected, 1,200 queued; dead letters 7 to be written",
    );
  });
});
