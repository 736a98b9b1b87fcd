import type { Clock } from "../clock.ts";
import type { RateLimit } from "../rate-limit.ts";
import { Alarm } from "./alarm.ts";

interface Bucket {
  readonly messages: number;
  readonly interval: number;
  readonly burst: number;
}

/** A token bucket. It withholds demand and holds no messages, so there is nothing in it to lose. */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #refilled: () => void;
  #limit: Bucket;
  #tokens: number;
  /** Taken out, and not yet known to be used. While they are out, nothing grows in their place. */
  #reserved = 0;
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

  reserve(count: number): void {
    this.#tokens -= count;
    this.#reserved += count;
  }

  /** Of what was reserved so much was used; the rest can be had again. */
  settle(reserved: number, used: number): void {
    this.#refill();
    this.#reserved -= reserved;
    this.#tokens += reserved - used;
  }

  /** A new limit; what has been taken stays taken. */
  update(limit: RateLimit): void {
    this.#refill();
    this.#limit = withBurst(limit);
    this.#tokens = Math.min(this.#tokens, this.#limit.burst - this.#reserved);
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
    this.#tokens = Math.min(burst - this.#reserved, this.#tokens + grown);
    this.#filledAt = now;
  }

  #arm(): void {
    const { messages, interval, burst } = this.#limit;
    // If all are reserved, settling makes the next one available, not time.
    if (this.#alarm.isSet || burst - this.#reserved < 1) return;
    this.#alarm.set(Math.ceil(((1 - this.#tokens) * interval) / messages));
  }
}

function withBurst(limit: RateLimit): Bucket {
  const { messages, interval } = limit;
  return { messages, interval, burst: limit.burst ?? messages };
}
