import type { Incoming } from "./producer.ts";

/** How a message ended. All but `failed` are acknowledged to the source as done. */
export type Outcome = "succeeded" | "failed" | "deadLettered" | "dropped";

/** A message that has ended and of which its source has not been told yet. */
export interface SettledMessage<Metadata = unknown> {
  /** The very object the session handed over in `pull`. */
  readonly incoming: Incoming<unknown, Metadata>;
  readonly outcome: Outcome;
  /** What the handler threw, or was given to `fail` or `drop`. */
  readonly reason: unknown;
  /** What was last given to `configureAck`. */
  readonly ackOptions: unknown;
}

/** Messages of one session that ended since the last acknowledgement, in the order in which they ended. */
export interface Settled<Metadata = unknown> {
  /** Succeeded, dead-lettered or dropped: the source need not send these again. */
  readonly succeeded: readonly SettledMessage<Metadata>[];
  /** Ran out of policy: the source decides what becomes of these. */
  readonly failed: readonly SettledMessage<Metadata>[];
}

/** What a session could not acknowledge; nothing means that all went well. */
export interface Refused<Metadata = unknown> {
  /** Tried again with back-off, then reported and counted; the source will send them again. */
  readonly refused: readonly SettledMessage<Metadata>[];
  /**
   * Whether another try would be refused, too: a lease that was lost, an assignment that has gone to somebody else.
   * Reported and counted at once.
   * @defaultValue false
   */
  readonly final?: boolean | undefined;
  /** Why; kept as the cause of what is reported. */
  readonly reason?: unknown;
}

/** What `acknowledge` gives back. Throwing means that all of it was refused. */
export type AcknowledgeResult<Metadata = unknown> = Refused<Metadata> | undefined | void;
