import type { Refused, Settled } from "../acknowledger.ts";

/** What to do instead of what the options say, for one message that failed. */
export interface FailureOverrides {
  readonly onFailure?: "retry" | "deadLetter" | undefined;
  /** Milliseconds until it is tried again. */
  readonly retryDelay?: number | undefined;
}

/** What was given to `configureAck`, as far as it makes sense: an acknowledgement is not the place to throw. */
export function failureOverrides(options: unknown): FailureOverrides {
  if (typeof options !== "object" || options === null) return {};
  const { onFailure, retryDelay } = options as FailureOverrides;
  return {
    onFailure: onFailure === "retry" || onFailure === "deadLetter" ? onFailure : undefined,
    retryDelay:
      typeof retryDelay === "number" && retryDelay >= 0
        ? Math.min(retryDelay, Number.MAX_SAFE_INTEGER / 4)
        : undefined,
  };
}

/** Refuses for good what of these messages others have by now; undefined if they have none. */
export function refuseLost<Metadata>(
  { succeeded, failed }: Settled<Metadata>,
  lost: readonly unknown[],
): Refused<Metadata> | undefined {
  if (lost.length === 0) return undefined;
  const theirs = new Set(lost);
  const refused = [...succeeded, ...failed].filter(({ incoming }) => theirs.has(incoming));
  return { refused, reason: new LeaseLost(), final: true };
}

class LeaseLost extends Error {
  override readonly name = "LeaseLost";
  constructor() {
    super("The lease had run out: somebody else handles the message");
  }
}
