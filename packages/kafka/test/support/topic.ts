import { Consumer } from "@platformatic/kafka";

export interface SeenRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly timestamp: bigint;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string])[];
}

const text = (bytes: Buffer | null | undefined): string | null => bytes?.toString() ?? null;

/** All that a topic holds that is not part of an open or aborted transaction, by partition; read by the bare client. */
export async function readTopic(
  brokers: string[],
  topic: string,
  enough: (records: readonly SeenRecord[]) => boolean,
): Promise<SeenRecord[]> {
  const consumer = new Consumer({
    clientId: "reader",
    groupId: `reader-${crypto.randomUUID()}`,
    bootstrapBrokers: brokers,
    isolationLevel: 1,
    maxWaitTime: 100,
  });
  const records: SeenRecord[] = [];
  try {
    if (enough(records)) return records;
    const stream = await consumer.consume({ topics: [topic], mode: "earliest", autocommit: false });
    for await (const { partition, offset, timestamp, key, value, headers } of stream) {
      const named = [...(headers ?? [])].map(
        ([name, content]) => [text(name)!, text(content)!] as const,
      );
      records.push({
        partition,
        offset,
        timestamp,
        key: text(key),
        value: text(value),
        headers: named,
      });
      if (enough(records)) break;
    }
  } finally {
    await consumer.close(true);
  }
  return records.sort((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
}

export const count =
  (records: number) =>
  (seen: readonly SeenRecord[]): boolean =>
    seen.length >= records;
