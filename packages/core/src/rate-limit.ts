/** A token bucket over messages taken from sources. It withholds demand; it holds no messages. */
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
