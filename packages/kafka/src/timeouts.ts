import type { KafkaOptions } from "./options.ts";

export interface Timeouts {
  readonly session: number;
  readonly rebalance: number;
  readonly heartbeat: number;
  readonly revoke: number;
}

/** The milliseconds of a membership; those left out follow from those given. */
export function timeoutsOf(options: KafkaOptions): Timeouts {
  const session = options.sessionTimeout ?? Math.min(45_000, options.rebalanceTimeout ?? 45_000);
  return {
    session,
    rebalance: options.rebalanceTimeout ?? Math.max(60_000, session),
    heartbeat: options.heartbeatInterval ?? Math.min(3000, Math.floor(session / 3)),
    revoke: options.revokeTimeout ?? Math.floor(session / 2),
  };
}
