import { type Message, Producer } from "@platformatic/kafka";

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
