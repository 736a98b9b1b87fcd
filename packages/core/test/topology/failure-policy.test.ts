import { describe, expect, it } from "vitest";
import { DecodeError, HandlerResultError, UnknownBatcherError } from "../../src/errors.ts";
import type { RetryOptions } from "../../src/failure.ts";
import { constant, retry } from "../../src/retry.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { FailurePolicy } from "../../src/topology/failure-policy.ts";

const unlimited = { ratio: 1000, perSecond: 1e9 };

function policy(options: RetryOptions | undefined, hasDeadLetter = true) {
  const clock = virtualClock();
  const made = options && retry({ backoff: constant(100), budget: unlimited, ...options });
  const deadLetter = hasDeadLetter ? { name: "dead letters", write() {} } : undefined;
  return {
    clock,
    policy: new FailurePolicy({ clock, random: () => 0, settings: { deadLetter }, policy: made }),
  };
}

const decide = (options: RetryOptions | undefined, error: unknown, attempt: number, dead = true) =>
  policy(options, dead).policy.decide(error, attempt);

describe("FailurePolicy", () => {
  it("gives up at once where there is no policy", () => {
    expect(decide(undefined, "no", 1)).toEqual({ action: "deadLetter", delay: 0 });
    expect(decide(undefined, "no", 1, false)).toEqual({ action: "fail", delay: 0 });
  });

  it("retries while attempts are left, and gives up with the last", () => {
    const actions = [1, 2, 3].map((attempt) => decide({ attempts: 3 }, "no", attempt).action);
    expect(actions).toEqual(["retry", "retry", "deadLetter"]);
  });

  it("never gives up what may be tried infinitely often", () => {
    expect(decide({ attempts: Infinity }, "no", 1e9).action).toBe("retry");
  });

  it("lets the source decide where a dead letter has nowhere to go", () => {
    expect(decide({ attempts: 1 }, "no", 1, false).action).toBe("fail");
    expect(decide({ attempts: 1, when: () => "deadLetter" }, "no", 1, false).action).toBe("fail");
  });

  it.each([new DecodeError("no"), new UnknownBatcherError("no"), new HandlerResultError("no")])(
    "does not retry what comes again however often one tries: $name",
    (error) => {
      expect(decide({ attempts: 9 }, error, 1).action).toBe("deadLetter");
      expect(decide({ attempts: 9, when: () => true }, error, 1).action).toBe("deadLetter");
      expect(decide({ attempts: 9, when: () => "retry" }, error, 1).action).toBe("deadLetter");
      expect(decide({ attempts: 9, when: () => "drop" }, error, 1).action).toBe("drop");
    },
  );

  it("holds with the wait of the back-off", () => {
    const held = decide({ attempts: 1, whenExhausted: "hold" }, "no", 1);
    expect(held).toEqual({ action: "hold", delay: 100 });
  });

  it("holds for a time that is a number even what is never to be tried again", () => {
    // One to the power of infinity is NaN.
    const backoff = { delay: (attempt: number) => 7 * 1 ** attempt };
    const held = decide({ attempts: 1, whenExhausted: "hold", backoff }, "no", Infinity);
    expect(held).toEqual({ action: "hold", delay: 7 });
  });

  it("waits for no time where nothing is tried again", () => {
    for (const when of ["drop", "fail", "stop", "deadLetter"] as const) {
      expect(decide({ attempts: 9, when: () => when }, "no", 1)).toEqual({
        action: when,
        delay: 0,
      });
    }
  });
});

describe("the budget of a FailurePolicy", () => {
  const budget = { ratio: 0, perSecond: 10 };
  const delays = (from: FailurePolicy, count: number): number[] =>
    Array.from({ length: count }, () => from.decide("no", 1).delay);

  it("allows ten seconds' worth at once, then makes retries wait for their turn", () => {
    const { policy: limited } = policy({ attempts: 9, backoff: constant(0), budget });
    expect(delays(limited, 103)).toEqual([...Array.from({ length: 100 }, () => 0), 100, 200, 300]);
  });

  it("fills up again with time, up to ten seconds' worth", async () => {
    const { policy: limited, clock } = policy({ attempts: 9, backoff: constant(0), budget });
    delays(limited, 100);
    await clock.advance(500);
    expect(delays(limited, 6)).toEqual([0, 0, 0, 0, 0, 100]);
    await clock.advance(3_600_000);
    expect(delays(limited, 101).filter((delay) => delay > 0)).toHaveLength(1);
  });

  it("grows with what comes in", () => {
    const options = { attempts: 9, backoff: constant(0), budget: { ratio: 0.5, perSecond: 10 } };
    const { policy: limited } = policy(options);
    delays(limited, 100);
    limited.deposit(10);
    expect(delays(limited, 6)).toEqual([0, 0, 0, 0, 0, 100]);
  });

  it("does not shorten the wait of the back-off", () => {
    const { policy: limited } = policy({ attempts: 9, backoff: constant(5000), budget });
    expect(delays(limited, 110).every((delay) => delay === 5000)).toBe(true);
  });

  it("holds for any number of retries: the last of them waits until all others had their turn", () => {
    const { policy: limited } = policy({ attempts: 9, backoff: constant(0), budget });
    expect(delays(limited, 5100).at(-1)).toBe(500_000);
  });

  it("is not touched by what is not tried again", () => {
    const when = (error: unknown) => error === "again";
    const { policy: limited } = policy({ attempts: 9, backoff: constant(0), budget, when });
    for (let count = 0; count < 1000; count++) limited.decide("for good", 1);
    expect(limited.decide("again", 1).delay).toBe(0);
  });
});
