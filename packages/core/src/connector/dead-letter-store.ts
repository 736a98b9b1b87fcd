import type { Awaitable } from "../producer.ts";
import type { QueuePayload } from "./queue.ts";

/** A dead letter as it is kept. */
export interface StoredDeadLetter {
  readonly id: number;
  /** As the source sent it; JSON of it if that was neither text nor bytes. */
  readonly payload: QueuePayload;
  /** False if the payload is no longer what was written, or could not be stored as it was: it must be edited to be redriven. */
  readonly intact: boolean;
  readonly key: string | undefined;
  /** What the source said about it, as far as JSON holds it. */
  readonly metadata: unknown;
  readonly pipeline: string;
  readonly source: string;
  readonly batcher: string | undefined;
  readonly error: {
    readonly name: string;
    readonly code: string | undefined;
    readonly message: string;
    readonly stack: string | undefined;
  };
  readonly attempts: number;
  /** Milliseconds since the Unix epoch. */
  readonly receivedAt: number;
  /** Milliseconds since the Unix epoch. */
  readonly failedAt: number;
}

/** Which dead letters; all conditions have to hold. */
export interface DeadLetterFilter {
  readonly ids?: readonly number[] | undefined;
  /** The name of the error. */
  readonly name?: string | undefined;
  /** The code of the error. */
  readonly code?: string | undefined;
  /** Text that the error's message contains. */
  readonly reason?: string | undefined;
  readonly pipeline?: string | undefined;
  readonly key?: string | undefined;
  /** Failed at or after, in milliseconds since the Unix epoch. */
  readonly since?: number | undefined;
  /** Failed before, in milliseconds since the Unix epoch. */
  readonly before?: number | undefined;
}

export interface ListOptions extends DeadLetterFilter {
  /** Begins behind the letter with this number: the `id` of the last one seen. */
  readonly after?: number | undefined;
  /** @defaultValue 100 */
  readonly limit?: number | undefined;
}

export interface RedriveOptions extends DeadLetterFilter {
  /** Who does it: a person or a program, for the audit record. */
  readonly by: string;
  /** @defaultValue all that fit when it is called */
  readonly limit?: number | undefined;
  /** Mends a payload, or opens one that was sealed. `undefined` leaves the letter where it is. */
  readonly edit?: ((letter: StoredDeadLetter) => Awaitable<QueuePayload | undefined>) | undefined;
  /** Calls `edit` and counts, but moves nothing and leaves no record. */
  readonly dryRun?: boolean | undefined;
}

export interface RedriveReport {
  /** Letters put back into the queue; in a dry run those that would have been. */
  readonly redriven: number;
  /** Letters left where they are: `edit` wanted it, or the payload is not intact and `edit` did not mend it. */
  readonly skipped: number;
}

export interface PurgeOptions extends DeadLetterFilter {
  readonly by: string;
  /** Milliseconds since a letter failed; younger ones stay. */
  readonly olderThan: number;
}

/** One thing that was done to the dead letters of a queue. */
export interface AuditRecord {
  readonly id: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly action: "redrive" | "purge";
  readonly by: string;
  /** The filter, as JSON. */
  readonly filter: string;
  readonly edited: boolean;
  readonly count: number;
}
