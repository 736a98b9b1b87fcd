// What is read is typed by the source and the decoder; what is wrong with options does not compile.
import { definePipeline, json, type MetadataOf, type PayloadOf, text } from "westend";
import {
  kafka,
  kafkaDeadLetter,
  type KafkaMetadata,
  type KafkaProducer,
  redrive,
  retryTopics,
} from "@westend/kafka";
import { expectType } from "./assert-types.ts";

const connection = { brokers: "localhost:9092" };
const source = kafka({ ...connection, groupId: "a", topics: ["events"] });

expectType<KafkaProducer>()(source, true);
declare const payload: PayloadOf<typeof source>;
expectType<Buffer | null>()(payload, true);
declare const metadata: MetadataOf<typeof source>;
expectType<KafkaMetadata>()(metadata, true);

// Without a decoder: bytes, or a tombstone's null.
definePipeline({
  name: "bytes",
  producer: source,
  processor: {
    handle(message) {
      expectType<Buffer | null>()(message.data, true);
      // @ts-expect-error -- a tombstone has no bytes
      void message.data.byteLength;
    },
  },
});

// With one: what it gives; and what Kafka says of the message, as far as the batcher.
definePipeline({
  name: "text",
  producer: source,
  decoder: text(),
  processor: {
    partitionBy: ({ metadata: { key } }) => key?.toString("hex"),
    handle(message) {
      expectType<string>()(message.data, true);
      expectType<string>()(message.metadata.topic, true);
      expectType<number>()(message.metadata.partition, true);
      expectType<bigint>()(message.metadata.offset, true);
      expectType<number>()(message.metadata.timestamp, true);
      expectType<Buffer | null>()(message.metadata.key, true);
      expectType<Buffer | null | undefined>()(message.metadata.headers.get("trace"), true);
      message.configureAck({ onFailure: "commit", retryDelay: 1000 });
      // @ts-expect-error -- Kafka has no such way
      message.configureAck({ onFailure: "requeue" });
      // @ts-expect-error -- there is no such field
      void message.metadata.topik;
      return message.to("rows", message.data.length);
    },
  },
  batchers: {
    rows: {
      handle(messages) {
        for (const message of messages) {
          expectType<number>()(message.data, true);
          expectType<KafkaMetadata>()(message.metadata, true);
        }
      },
    },
  },
  deadLetter: retryTopics({
    ...connection,
    delayed: [{ topic: "events.retry", delay: 60_000 }],
    deadLetter: kafkaDeadLetter({ ...connection, topic: "events.dlq" }),
  }),
});

// Two topics are one source; a source beside another gives a union.
definePipeline({
  name: "several",
  producers: { orders: source, audit: kafka({ ...connection, groupId: "b", topics: "audit" }) },
  decoder: json(),
  processor: {
    handle(message) {
      expectType<KafkaMetadata>()(message.metadata, true);
    },
  },
});

// Options.
kafka({
  brokers: ["a:1", "b:1"],
  groupId: "a",
  topics: "events",
  from: { timestamp: 0 },
  delayed: [{ topic: "later", delay: 1000 }],
  sasl: { mechanism: "OAUTHBEARER", token: async () => "…" },
  tls: { ca: "…" },
});
// @ts-expect-error -- a group is needed
kafka({ ...connection, topics: "events" });
// @ts-expect-error -- topics are needed
kafka({ ...connection, groupId: "a" });
// @ts-expect-error -- a misspelt option
kafka({ ...connection, groupId: "a", topics: "events", comitInterval: 1 });
// @ts-expect-error -- not a place to begin
kafka({ ...connection, groupId: "a", topics: "events", from: "beginning" });
// @ts-expect-error -- a number of milliseconds since the Unix epoch
kafka({ ...connection, groupId: "a", topics: "events", from: { timestamp: new Date() } });
// @ts-expect-error -- not an order
kafka({ ...connection, groupId: "a", topics: "events", orderBy: "topic" });
// @ts-expect-error -- a duration is a number of milliseconds
kafka({ ...connection, groupId: "a", topics: "events", retryDelay: "10s" });
kafka({
  ...connection,
  groupId: "a",
  topics: "events",
  // @ts-expect-error -- a token is for OAUTHBEARER
  sasl: { mechanism: "PLAIN", token: "…" },
});
kafka({
  ...connection,
  groupId: "a",
  topics: "events",
  // @ts-expect-error -- a mechanism that is not there
  sasl: { mechanism: "SCRAM-SHA-1", username: "a", password: "b" },
});
// @ts-expect-error -- a driver is a factory, not a client
kafka({ ...connection, groupId: "a", topics: "events", driver: {} });

// @ts-expect-error -- a topic is needed
kafkaDeadLetter({ ...connection });
// @ts-expect-error -- where messages go after the last retry topic
retryTopics({ ...connection, delayed: [] });
// @ts-expect-error -- who does it is noted
await redrive({ ...connection, topic: "events.dlq" });

// A hold on partitions while it runs.
source.pause([{ topic: "events", partition: 3 }]);
await source.seek({ topic: "events", partition: 3 }, 1000n);
// @ts-expect-error -- offsets are bigints
await source.seek({ topic: "events", partition: 3 }, 1000);
expectType<boolean>()(source.ready, true);
