import { describe, expect, it } from "vitest";
import { Progress, whereabouts } from "../src/progress.ts";
import { batcherWith, statsWith } from "./support/stats.ts";

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

describe("a pipeline whose messages are in batches that are still filling", () => {
  const filling = { inFlight: 3, batchers: { db: batcherWith({ open: 3 }) } };

  it("does not stand still, however long a batch may take", () => {
    const progress = new Progress(0);

    expect(progress.standingOf(statsWith(filling), 290 * SECOND)).toBeUndefined();
    const written = statsWith({ ...filling, batchers: { db: batcherWith({ running: 1 }) } });
    expect(progress.standingOf(written, 299 * SECOND)).toBeUndefined();
    expect(progress.standingOf(written, 300 * SECOND)).toBe(10 * SECOND);
  });

  const { processor } = statsWith();
  it.each([
    ["a handler has another", { processor: { ...processor, running: 1 } }],
    ["another is to be tried again", { processor: { ...processor, waiting: 1 } }],
    ["another batch waits", { batchers: { db: batcherWith({ open: 3, queued: 1 }) } }],
    ["a dead letter is being written", { deadLettersPending: 1 }],
    ["no stage has the others", { inFlight: 4 }],
  ])("stands still if %s", (_, changes) => {
    const progress = new Progress(0);

    expect(progress.standingOf(statsWith({ ...filling, ...changes }), 10 * SECOND)).toBe(
      10 * SECOND,
    );
  });
});

describe("whereabouts", () => {
  it("names what no stage counts", () => {
    expect(whereabouts(statsWith({ inFlight: 2 }))).toBe("a decoder, prepare or onFailed");
  });

  it("names the stages that hold messages, and why", () => {
    const { processor } = statsWith();
    const batcher = batcherWith({ open: 3, queued: 1200, running: 2 });
    const stats = statsWith({
      processor: { ...processor, running: 10, ready: 90, blocked: 2, waiting: 5 },
      batchers: { db: batcher, idle: batcherWith() },
      deadLettersPending: 7,
    });

    expect(whereabouts(stats)).toBe(
      "processor 10/10 busy, 90 ready, 2 behind others of their key, 5 to be tried again; " +
        "batcher db 2/2 busy, 3 collected, 1,200 queued; dead letters 7 to be written",
    );
  });
});
