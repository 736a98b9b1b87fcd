/**
 * A token bucket over messages that come from sources. It withholds demand. A pull that waits uses up nothing of it: what several bring
 * at once, more than it allows, waits in the pipeline until it does, or goes back at a stop.
 */
export interface RateLimit {
  /** Messages allowed per interval. */
  readonly messages: number;
  /** Milliseconds. */
  readonly interval: number;
  /**
   * How many may come at once after a quiet time.
   * @defaultValue `messages`
   */
  readonly burst?: number | undefined;
}
