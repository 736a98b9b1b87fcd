import { Producer } from "@platformatic/kafka";
import { type DeadLetter, definePipeline, json } from "westend";
import { kafka, type KafkaMetadata } from "@westend/kafka";
import { describeWith } from "test-servers/vitest";
import { expect, it } from "vitest";
import { numbered, topicWith, writeEvents } from "./support/events.ts";
import { soon } from "./support/member.ts";
import { readAll, type Seen } from "./support/read-all.ts";

const reasonOf = ([letter]: readonly DeadLetter<unknown, KafkaMetadata>[]): string =>
  String(letter?.reason);

describeWith("kafka", "a message of kafka()", () => {
  it("comes with what Kafka says about it", async () => {
    const headers = new Map([["trace", "abc"]]);
    const topic = await topicWith([{ value: "one", key: "k", headers }]);
    const { seen } = await readAll(topic);
    expect(seen).toMatchObject([
      {
        data: "one",
        metadata: {
          topic: topic.topic,
          partition: 0,
          offset: 0n,
          key: Buffer.from("k"),
          leaderEpoch: 0,
        },
      },
    ]);
    const [{ metadata }] = seen as [Seen];
    expect(metadata.headers.get("trace")?.toString()).toBe("abc");
    expect(metadata.rawHeaders.map(String)).toEqual(["trace", "abc"]);
    expect(metadata.timestamp).toBeGreaterThan(1.7e12);
  });

  it("is null where a key was deleted, which json() fails as a tombstone", async () => {
    const topic = await topicWith([{ value: null, key: "k" }]);
    const letters: DeadLetter[] = [];
    const running = await definePipeline({
      name: "tombstones",
      producer: kafka({
        ...soon,
        brokers: topic.brokers,
        groupId: "t",
        topics: topic.topic,
        finite: true,
      }),
      decoder: json(),
      processor: { handle() {} },
      deadLetter: { name: "letters", write: (all: never) => void letters.push(...(all as [])) },
    }).start();
    await running.done;
    expect(letters.map(({ reason }) => (reason as Error).message)).toEqual([
      expect.stringContaining("tombstone"),
    ]);
  });

  it.each(["gzip", "snappy", "lz4", "zstd"] as const)(
    "is decompressed: %s",
    async (compression) => {
      const topic = await topicWith(numbered(500), { compression });
      const { seen } = await readAll(topic);
      expect(seen.map(({ data }) => data)).toEqual(numbered(500).map(({ value }) => value));
    },
  );

  it("becomes a dead letter by its place if it is too large, and disturbs no other", async () => {
    const topic = await topicWith([{ value: "a" }, { value: "x".repeat(5000) }, { value: "b" }]);
    const { seen, letters } = await readAll(topic, { maxMessageBytes: 1000 });
    expect(seen.map(({ data }) => data)).toEqual(["a", "b"]);
    expect(letters).toMatchObject([
      { payload: null, attempts: 1, metadata: { offset: 1n, key: null } },
    ]);
    expect(reasonOf(letters)).toMatch(/more than maxMessageBytes \(1000\)/);
  });

  it("becomes a dead letter if it has too many headers", async () => {
    const headers = new Map(Array.from({ length: 20 }, (_, index) => [`h${index}`, "x"]));
    const { letters } = await readAll(await topicWith([{ value: "a", headers }]), {
      maxHeaders: 10,
    });
    expect(reasonOf(letters)).toMatch(/20 headers, more than maxHeaders \(10\)/);
  });

  it.each(["gzip", "snappy", "lz4", "zstd"] as const)(
    "is not decompressed beyond the limit: %s",
    async (compression) => {
      const topic = await topicWith([], {});
      const bomb = { value: Buffer.alloc(900_000), partition: 0 };
      await writeEvents(topic.brokers, topic.topic, [bomb], { compression });
      await writeEvents(topic.brokers, topic.topic, [{ value: "after", partition: 0 }]);
      const { seen, letters } = await readAll(topic, { maxBatchBytes: 500_000 });
      expect(seen.map(({ data }) => data)).toEqual(["after"]);
      expect(reasonOf(letters)).toMatch(/would take more than 500000 bytes/);
    },
  );

  it("does not come if its transaction was given up", async () => {
    const topic = await topicWith([]);
    const producer = new Producer({
      clientId: "t",
      bootstrapBrokers: topic.brokers,
      idempotent: true,
      transactionalId: topic.topic,
      retries: 10,
    });
    const send = async (value: string, end: "commit" | "abort"): Promise<void> => {
      const transaction = await producer.beginTransaction();
      await transaction.send({
        messages: [{ topic: topic.topic, partition: 0, value: Buffer.from(value) }],
      });
      await transaction[end]();
    };
    await send("kept", "commit");
    await send("given up", "abort");
    await send("kept too", "commit");
    await producer.close();
    const { seen } = await readAll(topic);
    expect(seen.map(({ data }) => data)).toEqual(["kept", "kept too"]);
    const { seen: all } = await readAll({ ...topic, groupId: "all" }, { isolation: "uncommitted" });
    expect(all.map(({ data }) => data)).toEqual(["kept", "given up", "kept too"]);
  });
});
