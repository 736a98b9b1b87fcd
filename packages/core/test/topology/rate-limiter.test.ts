import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import type { RateLimit } from "../../src/rate-limit.ts";
import { RateLimiter } from "../../src/topology/rate-limiter.ts";

function limiter(limit: RateLimit) {
  const clock = virtualClock();
  let refills = 0;
  const bucket = new RateLimiter(clock, limit, () => refills++);
  return { clock, bucket, refills: () => refills };
}

describe("RateLimiter", () => {
  it("allows as many at once as an interval has, unless burst says otherwise", () => {
    expect(limiter({ messages: 5, interval: 1000 }).bucket.available()).toBe(5);
    expect(limiter({ messages: 5, interval: 1000, burst: 20 }).bucket.available()).toBe(20);
    expect(limiter({ messages: 5, interval: 1000, burst: 1 }).bucket.available()).toBe(1);
  });

  it("fills evenly, and no further than the burst", async () => {
    const { clock, bucket } = limiter({ messages: 10, interval: 1000, burst: 4 });
    bucket.take(4);
    expect(bucket.available()).toBe(0);
    await clock.advance(99);
    expect(bucket.available()).toBe(0);
    await clock.advance(1);
    expect(bucket.available()).toBe(1);
    await clock.advance(60_000);
    expect(bucket.available()).toBe(4);
  });

  it("says when there is one again, once", async () => {
    const { clock, bucket, refills } = limiter({ messages: 10, interval: 1000 });
    bucket.take(10);
    bucket.available();
    bucket.available();
    expect(clock.timers).toBe(1);
    await clock.advance(99);
    expect(refills()).toBe(0);
    await clock.advance(1);
    expect(refills()).toBe(1);
    expect(bucket.available()).toBe(1);
    expect(clock.timers).toBe(0);
  });

  it("keeps what has been taken when the limit changes", async () => {
    const { clock, bucket, refills } = limiter({ messages: 10, interval: 1000 });
    bucket.take(10);
    bucket.update({ messages: 100, interval: 1000 });
    expect(refills()).toBe(1);
    expect(bucket.available()).toBe(0);
    await clock.advance(10);
    expect(bucket.available()).toBe(1);
  });

  it("owes what came beyond it", async () => {
    const { clock, bucket } = limiter({ messages: 10, interval: 1000 });
    bucket.take(15);
    await clock.advance(500);
    expect(bucket.available()).toBe(0);
    await clock.advance(100);
    expect(bucket.available()).toBe(1);
  });

  it("holds a lower burst at once", () => {
    const { bucket } = limiter({ messages: 10, interval: 1000 });
    bucket.update({ messages: 3, interval: 1000 });
    expect(bucket.available()).toBe(3);
  });

  it("leaves no timer behind when it is stopped", () => {
    const { clock, bucket } = limiter({ messages: 1, interval: 1000 });
    bucket.take(1);
    bucket.available();
    bucket.stop();
    expect(clock.timers).toBe(0);
  });

  it("never lets more through in any span of time than its burst and what grows in it", async () => {
    const step = fc.record({
      wait: fc.integer({ min: 0, max: 700 }),
      ask: fc.integer({ min: 1, max: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 30 }),
        fc.array(step, { maxLength: 30 }),
        async (messages, interval, burst, steps) => {
          const { clock, bucket } = limiter({ messages, interval, burst });
          const came: { at: number; count: number }[] = [];
          for (const { wait, ask } of steps) {
            await clock.advance(wait);
            const count = Math.min(ask, bucket.available());
            bucket.take(count);
            came.push({ at: clock.now(), count });
          }
          for (const first of came.keys()) {
            let sum = 0;
            for (const { at, count } of came.slice(first)) {
              sum += count;
              const span = at - (came[first]?.at ?? 0);
              expect(sum).toBeLessThanOrEqual(burst + (span * messages) / interval + 1e-6);
            }
          }
        },
      ),
      { numRuns: 50 },
    );
  }, 60_000);
});
