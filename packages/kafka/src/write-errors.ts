/** What the content of a record is to blame for: the others of its batch are written without it. With what to do about it. */
const FAULTS: Readonly<Record<string, string>> = {
  MESSAGE_TOO_LARGE: "Send less, or raise `max.message.bytes` of the topic.",
  RECORD_LIST_TOO_LARGE: "Send less, or raise `segment.bytes` of the topic.",
  INVALID_RECORD: "A compacted topic takes no record without a key.",
  INVALID_TIMESTAMP: "See `message.timestamp.before.max.ms` and `…after.max.ms` of the topic.",
};

/** What will not pass by itself, whatever the record. */
const REFUSALS: Readonly<Record<string, string>> = {
  INVALID_TOPIC_EXCEPTION: "Correct the name of the topic.",
  TOPIC_AUTHORIZATION_FAILED: "Allow WRITE on the topic to this user.",
  CLUSTER_AUTHORIZATION_FAILED: "Allow IDEMPOTENT_WRITE on the cluster to this user.",
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "Allow WRITE on the transactional id to this user.",
  POLICY_VIOLATION: "See the cluster's policies.",
  UNSUPPORTED_COMPRESSION_TYPE: "Choose another `compression`.",
};

export function isFault(brokerError: string | undefined): boolean {
  return brokerError !== undefined && Object.hasOwn(FAULTS, brokerError);
}

/** Whether it comes again however often one tries. */
export function isPermanent(brokerError: string | undefined): brokerError is string {
  return (
    isFault(brokerError) || (brokerError !== undefined && Object.hasOwn(REFUSALS, brokerError))
  );
}

export function remedyFor(brokerError: string): string {
  return FAULTS[brokerError] ?? REFUSALS[brokerError] ?? "";
}
