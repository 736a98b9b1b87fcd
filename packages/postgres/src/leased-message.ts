import type { Configurable, Incoming } from "westend";
import type { QueuePayload } from "westend/connector";

/** What to do instead of what the options say, for one message that failed; for `message.configureAck`. */
export interface PostgresAckOptions {
  readonly onFailure?: "retry" | "deadLetter" | undefined;
  /** Milliseconds until it is tried again. */
  readonly retryDelay?: number | undefined;
}

/** What a queue says about a message. */
export interface PostgresMetadata extends Configurable<PostgresAckOptions> {
  /** The same at every delivery and in no other database: fit to recognise a message that is handled twice. */
  readonly id: string;
  /** The name of the queue. */
  readonly queue: string;
  /** Milliseconds since the Unix epoch, by the server's clock. */
  readonly enqueuedAt: number;
  /** How often it has been handed out, this time included; one that was given back unhandled does not count. */
  readonly attempts: number;
  readonly key: string | undefined;
}

/** What proves that a message is ours: a token no other lease of it ever has. */
export interface Claim {
  /** Its number in the table. */
  readonly sequence: string;
  readonly token: string;
  readonly key: string | undefined;
}

/** A message that is ours for a while. */
export class LeasedMessage implements Incoming<QueuePayload, PostgresMetadata>, Claim {
  readonly payload: QueuePayload;
  readonly sequence: string;
  readonly token: string;
  readonly metadata: PostgresMetadata;
  /** Milliseconds since the Unix epoch, by the server's clock. */
  readonly leasedAt: number;
  /** Bytes it takes. */
  readonly size: number;

  /** @internal */
  constructor(lease: {
    readonly payload: QueuePayload;
    readonly sequence: string;
    readonly token: string;
    readonly metadata: PostgresMetadata;
    readonly leasedAt: number;
    readonly size: number;
  }) {
    this.payload = lease.payload;
    this.sequence = lease.sequence;
    this.token = lease.token;
    this.metadata = lease.metadata;
    this.leasedAt = lease.leasedAt;
    this.size = lease.size;
  }

  get key(): string | undefined {
    return this.metadata.key;
  }

  /** How often it has been handed out, this time included. */
  get attempt(): number {
    return this.metadata.attempts;
  }
}
