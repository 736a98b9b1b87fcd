import type { RecordBatch, SendResult } from "../client.ts";

/** Kafka's names of the errors a broker may answer a write with; others are called by their number. */
const NAMES: Readonly<Record<number, string>> = {
  2: "CORRUPT_MESSAGE",
  3: "UNKNOWN_TOPIC_OR_PARTITION",
  5: "LEADER_NOT_AVAILABLE",
  6: "NOT_LEADER_OR_FOLLOWER",
  7: "REQUEST_TIMED_OUT",
  10: "MESSAGE_TOO_LARGE",
  13: "NETWORK_EXCEPTION",
  17: "INVALID_TOPIC_EXCEPTION",
  18: "RECORD_LIST_TOO_LARGE",
  19: "NOT_ENOUGH_REPLICAS",
  20: "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
  29: "TOPIC_AUTHORIZATION_FAILED",
  31: "CLUSTER_AUTHORIZATION_FAILED",
  32: "INVALID_TIMESTAMP",
  44: "POLICY_VIOLATION",
  47: "INVALID_PRODUCER_EPOCH",
  53: "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
  56: "KAFKA_STORAGE_ERROR",
  76: "UNSUPPORTED_COMPRESSION_TYPE",
  87: "INVALID_RECORD",
  89: "THROTTLING_QUOTA_EXCEEDED",
  90: "PRODUCER_FENCED",
};

const NONE = 0;
/** The broker has it already: what it says to a repetition of what it wrote before it could answer. */
const DUPLICATE = 46;
/** Written, but the broker gave up waiting: it may or may not outlive its leader. */
const TIMED_OUT: ReadonlySet<number> = new Set([7, 13, 20]);

const placeOf = (topic: string, partition: number): string => `${topic}:${partition}`;

/** The part of \@platformatic/kafka's errors that says what became of a write. */
interface SendError {
  readonly produced?: { readonly offsets?: readonly { topic: string; partition: number }[] };
  readonly errors?: readonly unknown[];
  readonly response?: {
    readonly responses?: readonly {
      readonly name: string;
      readonly partitionResponses: readonly {
        readonly index: number;
        readonly errorCode: number;
      }[];
    }[];
  };
}

/** What the client's error says of each batch: it has one for all of them, made of those of all brokers and attempts. */
export function resultsOf(error: unknown, batches: readonly RecordBatch[]): readonly SendResult[] {
  const codes = new Map<string, number>();
  for (const { topic, partition } of (error as SendError).produced?.offsets ?? []) {
    codes.set(placeOf(topic, partition), NONE);
  }
  const silent = collect(error, codes);
  return batches.map(({ topic, partition }): SendResult => {
    const code = codes.get(placeOf(topic, partition));
    if (code === NONE) return "written";
    const brokerError = code === undefined ? undefined : (NAMES[code] ?? `error ${code}`);
    const sure = code !== undefined && !TIMED_OUT.has(code) && !silent;
    return { outcome: sure ? "notWritten" : "unknown", brokerError, cause: error };
  });
}

/** Notes the last answer for each partition; whether some attempt remained without one. */
function collect(error: unknown, codes: Map<string, number>): boolean {
  const { errors = [], response } = error as SendError;
  if (response?.responses === undefined) {
    return errors.length === 0 || errors.map((each) => collect(each, codes)).includes(true);
  }
  for (const { name, partitionResponses } of response.responses) {
    for (const { index, errorCode } of partitionResponses) {
      const place = placeOf(name, index);
      // What was written once stays written, whatever a later attempt was told.
      if (codes.get(place) === NONE) continue;
      codes.set(place, errorCode === DUPLICATE ? NONE : errorCode);
    }
  }
  return false;
}
