import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../src/errors.ts";
import type { Backoff } from "../src/failure.ts";
import { constant, exponential, retry } from "../src/retry.ts";

const delays = (backoff: Backoff, attempts: number[], random = 0.5): number[] =>
  attempts.map((attempt) => backoff.delay(attempt, () => random));

describe("constant", () => {
  it("waits the same time after every attempt", () => {
    expect(delays(constant(50), [1, 2, 100])).toEqual([50, 50, 50]);
  });

  it("may wait for no time at all", () => {
    expect(delays(constant(0), [1])).toEqual([0]);
  });

  it.each([-1, NaN, Infinity, "5" as never])("refuses %s", (milliseconds) => {
    expect(() => constant(milliseconds)).toThrow(ConfigurationError);
  });
});

describe("exponential", () => {
  it("doubles the wait with each attempt, up to its limit", () => {
    const backoff = exponential({ initial: 10, max: 60, jitter: "none" });
    expect(delays(backoff, [1, 2, 3, 4, 5])).toEqual([10, 20, 40, 60, 60]);
  });

  it("grows by another factor if told so", () => {
    const backoff = exponential({ initial: 10, max: 1000, factor: 3, jitter: "none" });
    expect(delays(backoff, [1, 2, 3])).toEqual([10, 30, 90]);
  });

  it("draws from zero to the whole wait with full jitter, which is the default", () => {
    const backoff = exponential({ initial: 100, max: 1000 });
    expect(delays(backoff, [1, 2], 0)).toEqual([0, 0]);
    expect(delays(backoff, [1, 2], 0.5)).toEqual([50, 100]);
    expect(delays(backoff, [1, 2], 0.999)).toEqual([99.9, 199.8]);
  });

  it("never waits longer than its limit, nor a time that is no number, however many attempts", () => {
    const options = fc.record({
      initial: fc.double({ min: 0.001, max: 1e9, noNaN: true }),
      max: fc.double({ min: 0.001, max: 1e9, noNaN: true }),
      factor: fc.double({ min: 1, max: 100, noNaN: true }),
      jitter: fc.constantFrom("full" as const, "none" as const),
    });
    const attempt = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constant(Number.MAX_SAFE_INTEGER));
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(options, attempt, random, (made, number, drawn) => {
        const delay = exponential(made).delay(number, () => drawn);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(made.max);
      }),
    );
  });

  it.each([
    { initial: 0, max: 10 },
    { initial: 10, max: 0 },
    { initial: 10, max: Infinity },
    { initial: 10, max: 100, factor: 0.5 },
    { initial: 10, max: 100, jitter: "some" as never },
  ])("refuses %o", (options) => {
    expect(() => exponential(options)).toThrow(ConfigurationError);
  });
});

describe("retry", () => {
  it("fills in a back-off from a tenth of a second to half a minute, and a budget of a tenth", () => {
    const policy = retry({ attempts: 3 });
    const waits = [1, 2, 20].map((attempt) => policy.backoff.delay(attempt, () => 0.5));
    expect(waits).toEqual([50, 100, 15_000]);
    expect(policy.budget).toEqual({ ratio: 0.1, perSecond: 10 });
  });

  it("keeps what it is given", () => {
    const backoff = constant(1);
    const when = () => true;
    const budget = { ratio: 1, perSecond: 2 };
    const policy = retry({ attempts: Infinity, backoff, when, whenExhausted: "hold", budget });
    expect(policy).toEqual({ attempts: Infinity, backoff, when, whenExhausted: "hold", budget });
  });

  it.each([
    ["no attempts", { attempts: 0 }],
    ["half an attempt", { attempts: 1.5 }],
    ["a number as back-off", { attempts: 3, backoff: 100 }],
    ["an unknown end", { attempts: 3, whenExhausted: "giveUp" }],
    ["a word for when", { attempts: 3, when: "always" }],
    ["a budget that never fills", { attempts: 3, budget: { perSecond: 0 } }],
    ["a misspelt option", { attempts: 3, backOff: constant(1) }],
  ])("refuses %s", (_, options) => {
    expect(() => retry(options as never)).toThrow(ConfigurationError);
  });
});
