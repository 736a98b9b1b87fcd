import { type Message, Producer } from "@platformatic/kafka";
import { sharedKafka, uniqueName } from "test-servers/vitest";

/** What a test writes to a topic. */
export interface NewEvent {
  readonly value: string | Buffer | null;
  readonly key?: string | undefined;
  readonly partition?: number | undefined;
  readonly headers?: Map<string, string> | undefined;
}

/** Writes events in this order, by the bare client: none is left out, none is there twice. */
export async function writeEvents(
  brokers: string[],
  topic: string,
  events: readonly NewEvent[],
  options: { readonly compression?: "none" | "gzip" | "snappy" | "lz4" | "zstd" } = {},
): Promise<void> {
  const producer = new Producer({
    clientId: "events",
    bootstrapBrokers: brokers,
    idempotent: true,
    retries: 10,
  });
  try {
    for (let start = 0; start < events.length; start += 1000) {
      const messages = events
        .slice(start, start + 1000)
        .map(({ value, key, partition, headers }) => ({
          topic,
          value: typeof value === "string" ? Buffer.from(value) : value,
          ...(key === undefined ? {} : { key: Buffer.from(key) }),
          ...(partition === undefined ? {} : { partition }),
          ...(headers === undefined
            ? {}
            : {
                headers: new Map(
                  [...headers].map(([name, text]) => [Buffer.from(name), Buffer.from(text)]),
                ),
              }),
        }));
      await producer.send({
        messages: messages as unknown as Message[],
        compression: options.compression ?? "none",
      });
    }
  } finally {
    await producer.close();
  }
}

/** A topic that nobody else uses, and who reads it. */
export interface Topic {
  readonly brokers: string[];
  readonly topic: string;
  readonly groupId: string;
}

/** Creates a topic that holds these events. */
export async function topicWith(
  events: readonly NewEvent[],
  options: { partitions?: number; compression?: "gzip" | "snappy" | "lz4" | "zstd" } = {},
): Promise<Topic> {
  const { brokers, admin } = sharedKafka();
  const topic = uniqueName("events");
  await admin.createTopic(topic, { partitions: options.partitions ?? 1 });
  if (events.length > 0) await writeEvents(brokers, topic, events, options);
  return { brokers, topic, groupId: topic };
}

/** Events of one partition whose values are their numbers. */
export const numbered = (count: number, event: Partial<NewEvent> = {}): NewEvent[] =>
  Array.from({ length: count }, (_, index) => ({ value: `${index}`, partition: 0, ...event }));
