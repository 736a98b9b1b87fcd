import type { RecordBatch } from "../client.ts";

/** The records of a batch in the words of \@platformatic/kafka. */
export function messagesOf({ topic, partition, records }: RecordBatch): object[] {
  return records.map(({ key, value, headers, timestamp }) => ({
    topic,
    partition,
    key,
    value,
    headers,
    timestamp: timestamp === undefined ? undefined : BigInt(timestamp),
  }));
}
