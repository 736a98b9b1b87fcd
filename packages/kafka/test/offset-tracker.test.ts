import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeOffsetMap } from "../src/offset-map.ts";
import { OffsetTracker } from "../src/offset-tracker.ts";

const WHERE = { topic: "events", partition: 0 };
const ROOM = 4096;

interface Message {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly timestamp: number;
  done: boolean;
}

const message = (offset: number, leaderEpoch = 1): Message => ({
  offset,
  leaderEpoch,
  timestamp: 0,
  done: false,
});

/** Hands these offsets over, and ends some of them. */
function tracked(offsets: readonly number[], ended: readonly number[], from = 0): OffsetTracker {
  const tracker = new OffsetTracker(WHERE, from);
  const messages = offsets.map((offset) => message(offset));
  for (const one of messages) tracker.take(one);
  for (const one of messages) if (ended.includes(one.offset)) tracker.done(one);
  return tracker;
}

/** A second owner has only the message 0, and ends it; a third goes on where that one has committed. */
function overTwoOwners(first: OffsetTracker): { readonly offset: number; third: OffsetTracker } {
  const begin = first.commit(ROOM)!;
  const second = new OffsetTracker(WHERE, begin.offset, begin.metadata);
  const only = message(0);
  second.take(only);
  second.done(only);
  const { offset, metadata } = second.commit(ROOM)!;
  return { offset, third: new OffsetTracker(WHERE, offset, metadata) };
}

describe("a message that has ended before others", () => {
  it("is not held any more once its place has been committed: one that hangs does not hold all behind it", () => {
    const tracker = new OffsetTracker(WHERE, 0);
    let looks = 0;
    const ended = {
      ...message(1),
      get offset() {
        looks++;
        return 1;
      },
    };
    const last = message(2);
    for (const one of [message(0), ended, last]) tracker.take(one);
    tracker.done(ended);
    tracker.confirm(tracker.commit(ROOM)!);
    looks = 0;
    tracker.done(last);
    const { metadata } = tracker.commit(ROOM)!;
    expect(decodeOffsetMap(WHERE, 0, metadata)?.done).toEqual([[1, 3]]);
    expect(looks).toBe(0);
  });
});

describe("what is committed", () => {
  it("is the offset of the first message that has not ended", () => {
    expect(tracked([0, 1, 2, 3], [0, 1, 3]).commit(ROOM)).toMatchObject({ offset: 2 });
  });

  it("lies behind the last message if all have ended", () => {
    expect(tracked([0, 1, 2], [2, 0, 1]).commit(ROOM)).toEqual({ offset: 3, metadata: "" });
  });

  it("is nothing new if nothing has ended since", () => {
    const tracker = tracked([0, 1], [0]);
    tracker.confirm(tracker.commit(ROOM)!);
    expect(tracker.commit(ROOM)).toBeUndefined();
  });

  it("passes gaps that compaction and transactions leave", () => {
    expect(tracked([11, 13, 15], [11, 15], 10).commit(ROOM)).toMatchObject({ offset: 13 });
    const tracker = tracked([11, 13], [11, 13], 10);
    tracker.passed(20);
    expect(tracker.commit(ROOM)).toMatchObject({ offset: 20 });
  });

  it("does not count a message twice", () => {
    const tracker = new OffsetTracker(WHERE, 0);
    const [first, second] = [message(0), message(1)];
    tracker.take(first);
    tracker.take(second);
    tracker.done(first);
    tracker.done(first);
    expect([tracker.outstanding, tracker.low]).toEqual([1, 1]);
  });
});

describe("what had been done beyond the commit", () => {
  it("is passed over by the next owner", () => {
    const { offset, metadata } = tracked([0, 1, 2, 3, 4], [1, 2, 4]).commit(ROOM)!;
    const next = new OffsetTracker(WHERE, offset, metadata);
    expect([0, 1, 2, 3, 4].map((at) => next.knows(message(at)))).toEqual([
      false,
      true,
      true,
      false,
      true,
    ]);
  });

  it("is done again where a later leader has written", () => {
    const { offset, metadata } = tracked([0, 1, 2], [1, 2]).commit(ROOM)!;
    const next = new OffsetTracker(WHERE, offset, metadata);
    expect(next.knows(message(1, 2))).toBe(false);
    // Behind it the log is another one too.
    expect(next.knows(message(2, 2))).toBe(false);
  });

  it("is not forgotten by an owner that has not come so far", () => {
    const { offset, third } = overTwoOwners(tracked([0, 1, 2, 3, 4], [3, 4]));
    expect([offset, third.knows(message(3)), third.knows(message(4))]).toEqual([1, true, true]);
  });
});

describe("what had been done right behind the commit", () => {
  it("is not forgotten before it has been fetched again", () => {
    const { offset, third } = overTwoOwners(tracked([0, 1, 2], [1]));
    expect([offset, third.knows(message(1)), third.knows(message(2))]).toEqual([1, true, false]);
  });
});

describe("over crashes and restarts, at any moment and in any order", () => {
  /** A log with gaps, and owners that each end some messages and then commit, or crash before. */
  const stories = fc.record({
    log: fc
      .uniqueArray(fc.nat(300), { minLength: 1, maxLength: 80 })
      .map((all) => all.sort((a, b) => a - b)),
    owners: fc.array(
      fc.record({
        takes: fc.nat(80),
        ends: fc.array(fc.nat(80), { maxLength: 80 }),
        commits: fc.array(fc.nat(80), { maxLength: 4 }),
        room: fc.constantFrom(0, 40, 60, 4096),
      }),
      { maxLength: 6 },
    ),
  });

  it("nothing is passed over that has not ended, and commits neither go back nor pass a gap", () => {
    fc.assert(
      fc.property(stories, ({ log, owners }) => {
        const ended = new Set<number>();
        let committed = { offset: 0, metadata: "" };
        for (const { takes, ends, commits, room } of owners) {
          const tracker = new OffsetTracker(WHERE, committed.offset, committed.metadata);
          const held: Message[] = [];
          for (const offset of log) {
            if (offset < committed.offset || held.length >= takes) continue;
            const one = message(offset);
            const known = tracker.knows(one);
            expect(known && !ended.has(offset)).toBe(false);
            if (known) continue;
            tracker.take(one);
            held.push(one);
          }
          for (const [step, index] of ends.entries()) {
            const one = held[index % Math.max(1, held.length)];
            if (one !== undefined) {
              tracker.done(one);
              ended.add(one.offset);
            }
            if (!commits.includes(step)) continue;
            const commit = tracker.commit(room);
            if (commit === undefined) continue;
            tracker.confirm(commit);
            expect(commit.offset).toBeGreaterThanOrEqual(committed.offset);
            expect(log.filter((at) => at < commit.offset && !ended.has(at))).toEqual([]);
            committed = commit;
          }
          expect(tracker.outstanding).toBe(held.filter(({ done }) => !done).length);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("everything ends in the end", () => {
    fc.assert(
      fc.property(stories, ({ log, owners }) => {
        let committed = { offset: 0, metadata: "" };
        const ended = new Set<number>();
        for (const { takes, room } of [...owners, { takes: Infinity, room: 4096 }]) {
          const tracker = new OffsetTracker(WHERE, committed.offset, committed.metadata);
          let held = 0;
          for (const offset of log.filter((at) => at >= committed.offset)) {
            const one = message(offset);
            if (held >= takes || tracker.knows(one)) continue;
            held++;
            tracker.take(one);
            if (takes !== Infinity && held % 3 === 0) continue;
            tracker.done(one);
            ended.add(offset);
          }
          committed = tracker.commit(room) ?? committed;
        }
        expect([...ended].sort((a, b) => a - b)).toEqual(log);
      }),
    );
  });
});
