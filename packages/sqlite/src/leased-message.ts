import type { Configurable, Incoming } from "westend";
import type { QueuePayload } from "westend/connector";
import type { MessageRow } from "./lease.ts";
import { sizeOf } from "./payload.ts";
import type { Claim } from "./settle.ts";

/** What to do instead of what the options say, for one message that failed; for `message.configureAck`. */
export interface SqliteAckOptions {
  readonly onFailure?: "retry" | "deadLetter" | undefined;
  /** Milliseconds until it is tried again. */
  readonly retryDelay?: number | undefined;
}

/** What a queue says about a message. */
export interface SqliteMetadata extends Configurable<SqliteAckOptions> {
  /** The same at every delivery and in no other file: fit to recognise a message that is handled twice. */
  readonly id: string;
  /** The name of the queue. */
  readonly queue: string;
  /** Milliseconds since the Unix epoch. */
  readonly enqueuedAt: number;
  /** How often it has been handed out, this time included; one that was given back unhandled does not count. */
  readonly attempts: number;
  readonly key: string | undefined;
}

/** Where leased messages come from. */
export interface LeaseOrigin {
  /** The file's own id. */
  readonly file: string;
  readonly queue: string;
  /** When they were leased, in milliseconds since the Unix epoch. */
  readonly now: number;
}

/** A message that is ours for a while. */
export class LeasedMessage implements Incoming<QueuePayload, SqliteMetadata>, Claim {
  readonly payload: QueuePayload;
  /** Its number in the file. */
  readonly sequence: number;
  /** Proves that the lease is ours. */
  readonly token: number;
  readonly key: string | undefined;
  /** How often it has been handed out, this time included. */
  readonly attempt: number;
  readonly #enqueuedAt: number;
  readonly #origin: LeaseOrigin;
  #metadata: SqliteMetadata | undefined;

  /** @internal */
  constructor(row: MessageRow, payload: QueuePayload, token: number, origin: LeaseOrigin) {
    const [id, key, attempts, enqueuedAt] = row;
    this.payload = payload;
    this.sequence = id;
    this.token = token;
    this.key = key ?? undefined;
    this.attempt = attempts + 1;
    this.#enqueuedAt = enqueuedAt;
    this.#origin = origin;
  }

  /** Made when it is first asked for: many handlers never do. */
  get metadata(): SqliteMetadata {
    this.#metadata ??= {
      id: `${this.#origin.file}-${this.sequence}`,
      queue: this.#origin.queue,
      enqueuedAt: this.#enqueuedAt,
      attempts: this.attempt,
      key: this.key,
    };
    return this.#metadata;
  }

  /** Milliseconds since the Unix epoch. */
  get leasedAt(): number {
    return this.#origin.now;
  }

  get size(): number {
    return sizeOf(this.payload);
  }
}
