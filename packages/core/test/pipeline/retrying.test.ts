import {
  constant,
  exponential,
  type FailureAction,
  type Message,
  retry,
  type RetryOptions,
  type StopReport,
} from "westend";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { given, GivenSource } from "../support/given-source.ts";
import { LetterBox } from "../support/letter-box.ts";
import { NO_DELAYS } from "../support/no-delays.ts";
import { runTopology } from "../support/topology-run.ts";
import { tried } from "../support/tried.ts";

describe("retry", () => {
  it("tries exactly as often as `attempts` says, then gives up", async () => {
    const { attempts, report } = await tried({ attempts: 4, backoff: constant(10) });
    expect(attempts).toEqual([1, 2, 3, 4]);
    expect(report).toMatchObject({ deadLettered: 1 });
  });

  it("stops trying once an attempt succeeds", async () => {
    const { attempts, report } = await tried(
      { attempts: 9, backoff: constant(10) },
      { failures: 2 },
    );
    expect(attempts).toEqual([1, 2, 3]);
    expect(report).toMatchObject({ succeeded: 1, failed: 0, deadLettered: 0 });
  });

  it("never gives up with infinite attempts", async () => {
    const { attempts } = await tried(
      { attempts: Infinity, backoff: constant(10) },
      { failures: 100 },
    );
    expect(attempts).toHaveLength(101);
  });

  it("waits the same time with a constant back-off", async () => {
    const { at } = await tried({ attempts: 4, backoff: constant(250) });
    expect(at).toEqual([0, 250, 500, 750]);
  });

  it("waits longer and longer with an exponential one, up to its limit", async () => {
    const backoff = exponential({ initial: 100, max: 500, jitter: "none" });
    const { at } = await tried({ attempts: 6, backoff });
    expect(at).toEqual([0, 100, 300, 700, 1200, 1700]);
  });

  it("draws each wait from zero to its length with full jitter", async () => {
    const draws = [0, 0.5, 0.25];
    const backoff = exponential({ initial: 100, max: 1000 });
    const { at } = await tried({ attempts: 4, backoff }, { random: () => draws.shift() ?? 1 });
    expect(at).toEqual([0, 0, 100, 200]);
  });

  it.each(NO_DELAYS)("goes on when a back-off of one's own %s", async (_, delay) => {
    const { attempts, at } = await tried({ attempts: 3, backoff: { delay } });
    expect(attempts).toEqual([1, 2, 3]);
    expect(at).toEqual([0, 1000, 2000]);
  });

  it("gives every attempt a message of its own, with the data of the source", async () => {
    const seen = new Set<Message<string, undefined>>();
    await runTopology({
      producer: given(["data"]),
      processor: {
        retry: retry({ attempts: 3, backoff: constant(1) }),
        handle(message) {
          seen.add(message);
          message.fail("again");
        },
      },
    });
    expect([...seen].map(({ data, attempt }) => `${data} ${attempt}`)).toEqual([
      "data 1",
      "data 2",
      "data 3",
    ]);
  });

  it("counts on from the deliveries of the source", async () => {
    const attempts: number[] = [];
    const handle = ({ attempt }: { attempt: number }) => {
      attempts.push(attempt);
      throw new Error("no");
    };
    const producer = new GivenSource([{ payload: 1, attempt: 3 }]);
    const policy = retry({ attempts: 5, backoff: constant(1) });
    await runTopology({ producer, processor: { retry: policy, handle } });
    expect(attempts).toEqual([3, 4, 5]);
  });

  it("gives up unseen what was delivered more often than the policy allows", async () => {
    const producer = new GivenSource(
      [1, 2, 3, 4].map((attempt) => ({ payload: attempt, attempt, key: attempt })),
    );
    const handled: number[] = [];
    const deadLetter = new LetterBox<number>();
    const policy = retry({ attempts: 2, backoff: constant(1) });
    const handle = ({ data }: { data: number }) => void handled.push(data);
    await runTopology({ producer, deadLetter, processor: { retry: policy, handle } });
    expect(handled).toEqual([1, 2]);
    expect(deadLetter.letters).toMatchObject(
      [3, 4].map((attempt) => ({
        payload: attempt,
        attempts: attempt,
        key: attempt,
        reason: { code: "WESTEND_ERR_ATTEMPTS" },
      })),
    );
  });

  it("holds on to what was delivered too often, if that is the policy, and handles it after a wait", async () => {
    const clock = virtualClock();
    const at: string[] = [];
    const producer = new GivenSource([
      { payload: "held", attempt: 9, key: "key" },
      { payload: "behind", key: "key" },
      { payload: "other", key: "other" },
    ]);
    const policy = retry({ attempts: 2, backoff: constant(500), whenExhausted: "hold" });
    const handle = ({ data }: { data: string }) => void at.push(`${data}@${clock.now()}`);
    await runTopology({ producer, processor: { retry: policy, handle } }, { clock });
    expect(at).toEqual(["other@0", "held@500", "behind@500"]);
  });
});

describe("when", () => {
  it.each<[verdict: boolean, attempts: number]>([
    [true, 3],
    [false, 1],
  ])("saying %s makes %i attempts", async (verdict, count) => {
    const { attempts, report } = await tried({
      attempts: 3,
      backoff: constant(1),
      when: () => verdict,
    });
    expect(attempts).toHaveLength(count);
    expect(report.deadLettered).toBe(1);
  });

  it.each<[FailureAction, Partial<StopReport>]>([
    ["retry", { deadLettered: 1 }],
    ["deadLetter", { deadLettered: 1 }],
    ["fail", { failed: 1 }],
    ["drop", { dropped: 1 }],
  ])("saying %s makes it so", async (action, expected) => {
    const { attempts, report } = await tried({
      attempts: 3,
      backoff: constant(1),
      when: () => action,
    });
    expect(attempts).toHaveLength(action === "retry" ? 3 : 1);
    expect(report).toMatchObject(expected);
  });

  it("saying hold goes on beyond the attempts", async () => {
    const { attempts, report } = await tried(
      { attempts: 2, backoff: constant(1), when: () => "hold" },
      { failures: 5 },
    );
    expect(attempts).toHaveLength(6);
    expect(report.succeeded).toBe(1);
  });

  it("saying stop ends the pipeline with the error", async () => {
    const error = new Error("fatal");
    await expect(tried({ attempts: 5, when: () => "stop" }, { error })).rejects.toBe(error);
  });

  it("sees the very value that was thrown", async () => {
    const seen: unknown[] = [];
    await tried({ attempts: 1, when: (error) => seen.push(error) > 0 }, { error: null });
    await tried({ attempts: 1, when: (error) => seen.push(error) > 0 }, { error: "text" });
    expect(seen).toEqual([null, "text"]);
  });

  it("decides anew for each error", async () => {
    const errors = ["transient", "transient", "permanent"];
    const attempts: number[] = [];
    await runTopology({
      producer: given([1]),
      processor: {
        retry: retry({ attempts: 9, backoff: constant(1), when: (error) => error === "transient" }),
        handle(message) {
          attempts.push(message.attempt);
          message.fail(errors.shift());
        },
      },
    });
    expect(attempts).toEqual([1, 2, 3]);
  });

  it.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("in when");
      },
    ],
    ["gives nothing", () => undefined],
    ["gives a promise", () => Promise.resolve(false)],
    ["gives a word that is no action", () => "giveUp"],
  ])("counts for yes when it %s", async (_, when) => {
    const { attempts, report } = await tried({
      attempts: 3,
      backoff: constant(1),
      when: when as RetryOptions["when"],
    });
    expect(attempts).toEqual([1, 2, 3]);
    expect(report.deadLettered).toBe(1);
  });
});
