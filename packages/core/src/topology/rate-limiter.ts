import type { Clock } from "../clock.ts";
import type { RateLimit } from "../rate-limit.ts";
import { Alarm } from "./alarm.ts";

interface Bucket {
  readonly messages: number;
  readonly interval: number;
  readonly burst: number;
}

/** A token bucket. It holds no messages, so there is nothing in it to lose. */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #refilled: () => void;
  #limit: Bucket;
  #tokens: number;
  #filledAt: number;
  readonly #alarm: Alarm;

  constructor(clock: Clock, limit: RateLimit, refilled: () => void) {
    this.#clock = clock;
    this.#refilled = refilled;
    this.#limit = withBurst(limit);
    this.#tokens = this.#limit.burst;
    this.#filledAt = clock.now();
    this.#alarm = new Alarm(clock, refilled);
  }

  /** Messages that may come now; if none, `refilled` is called when one may. */
  available(): number {
    this.#refill();
    const whole = Math.floor(this.#tokens);
    if (whole < 1) this.#arm();
    return Math.max(0, whole);
  }

  /** So many have come. */
  take(count: number): void {
    this.#refill();
    this.#tokens -= count;
  }

  /** A new limit; what has been taken stays taken. */
  update(limit: RateLimit): void {
    this.#refill();
    this.#limit = withBurst(limit);
    this.#tokens = Math.min(this.#tokens, this.#limit.burst);
    this.stop();
    this.#refilled();
  }

  stop(): void {
    this.#alarm.clear();
  }

  #refill(): void {
    const now = this.#clock.now();
    const { messages, interval, burst } = this.#limit;
    const grown = ((now - this.#filledAt) * messages) / interval;
    this.#tokens = Math.min(burst, this.#tokens + grown);
    this.#filledAt = now;
  }

  #arm(): void {
    const { messages, interval } = this.#limit;
    if (this.#alarm.isSet) return;
    this.#alarm.set(Math.ceil(((1 - this.#tokens) * interval) / messages));
  }
}

function withBurst(limit: RateLimit): Bucket {
  const { messages, interval } = limit;
  return { messages, interval, burst: limit.burst ?? messages };
}
