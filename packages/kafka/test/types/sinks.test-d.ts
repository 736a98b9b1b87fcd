// A record is made of the batcher's message, whose types come from the processor.
import { type Decoder, definePipeline, type Message, retry } from "westend";
import { kafka, type KafkaMetadata, KafkaWriteError, toKafka } from "@westend/kafka";
import { expectType } from "./assert-types.ts";

interface Order {
  readonly id: string;
  readonly cents: number;
}
declare const decoder: Decoder<Uint8Array | null, Order>;

const connection = { brokers: "localhost:9092" };
const source = kafka({ ...connection, groupId: "a", topics: "orders", transactionalId: "a-1" });
const out = toKafka({ ...connection, topic: "orders.enriched" });

definePipeline({
  name: "enrich",
  producer: source,
  decoder,
  processor: {
    handle(message) {
      expectType<Order>()(message.data, true);
      return message.data.cents > 0
        ? message.to("once", message.data)
        : message.to("free", message.data.id);
    },
  },
  batchers: {
    free: {
      retry: retry({
        attempts: 20,
        when: (error) => !(error instanceof KafkaWriteError) || error.retriable,
      }),
      handle: (messages, _batch, signal) =>
        out.send(
          messages,
          (message) => {
            expectType<string>()(message.data, true);
            expectType<KafkaMetadata>()(message.metadata, true);
            return { key: message.metadata.key, value: message.data, topic: "free" };
          },
          signal,
        ),
    },
    once: {
      handle: (messages, _batch, signal) =>
        source.sendInTransaction(
          messages,
          ({ data, metadata }) => {
            expectType<Order>()(data, true);
            expectType<bigint>()(metadata.offset, true);
            return {
              topic: "orders.enriched",
              key: data.id,
              value: JSON.stringify(data),
              headers: { trace: new Uint8Array() },
            };
          },
          signal,
        ),
    },
  },
});

declare const messages: readonly Message<Order, KafkaMetadata>[];
declare const signal: AbortSignal;

await out.send(messages, () => ({ value: null }));
await out.send(messages, () => ({ value: "", headers: [["a", "1"] as const] }), signal);

// @ts-expect-error -- a record has a value
await out.send(messages, ({ data }) => ({ key: data.id }));
// @ts-expect-error -- what a value looks like as bytes is for you to say
await out.send(messages, ({ data }) => ({ value: data }));
// @ts-expect-error -- a number is no key
await out.send(messages, ({ data }) => ({ key: data.cents, value: "" }));
// @ts-expect-error -- there is no such property
await out.send(messages, ({ data }) => ({ value: data.euros }));
// @ts-expect-error -- in a transaction a handler is the last to know: its signal is needed
await source.sendInTransaction(messages, () => ({ topic: "a", value: "" }));

// A sink may do without a topic of its own; it is no source.
toKafka(connection);
// @ts-expect-error -- a compression that is not there
toKafka({ ...connection, topic: "a", compression: "brotli" });
// @ts-expect-error -- a misspelt option
toKafka({ ...connection, topics: "a" });
// @ts-expect-error -- a sink is no producer
definePipeline({ name: "wrong", producer: out, processor: { handle: () => undefined } });
