/** What a queue stores; it comes back as it was given. */
export type QueuePayload = string | Uint8Array;

/** A message to be enqueued. */
export interface NewMessage {
  readonly payload: QueuePayload;
  /** Messages of one key are handed out in order; 1 and "1" are the same key. At most 1024 characters. */
  readonly key?: string | number | bigint | undefined;
  /**
   * Milliseconds before it may be handed out. It does not hold back later messages of its key;
   * once due it goes before those that still wait.
   * @defaultValue 0
   */
  readonly delay?: number | undefined;
}

/** How many messages a queue has, by what they wait for. */
export interface QueueCounts {
  /** May be leased, or wait only for a message of their key. */
  readonly ready: number;
  readonly leased: number;
  /** Enqueued for later, or failed and waiting to be tried again. */
  readonly delayed: number;
  /** Dead letters. */
  readonly dead: number;
}
