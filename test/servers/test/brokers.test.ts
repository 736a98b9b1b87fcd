import {
  Admin,
  Connection,
  Consumer,
  offsetCommitV7,
  Producer,
  ProduceAcks,
} from "@platformatic/kafka";
import { startMiniBroker } from "test-servers";
import { describeWith, sharedKafka, uniqueName } from "test-servers/vitest";
import { afterEach, describe, expect, it, vi } from "vitest";

interface Broker {
  readonly brokers: string[];
  committed(group: string): Promise<{ partition: number; offset: bigint; metadata: string }[]>;
  deleteRecords(topic: string, partition: number, offset: bigint): Promise<void>;
}

/** What the mini-broker and Apache Kafka have to do alike. */
function behavesLikeKafka(start: () => Promise<Broker & AsyncDisposable>): void {
  const open: { close(): Promise<unknown> }[] = [];
  const opened = <Closable extends { close(): Promise<unknown> }>(closable: Closable): Closable => {
    open.push(closable);
    return closable;
  };
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close();
  });

  const begin = async (): Promise<Broker> => {
    const broker = await start();
    opened({ close: () => broker[Symbol.asyncDispose]() as Promise<void> });
    return broker;
  };
  const topicOf = async ({ brokers }: Broker, partitions = 1): Promise<string> => {
    const topic = uniqueName("events");
    const admin = opened(new Admin({ clientId: "test", bootstrapBrokers: brokers }));
    await admin.createTopics({ topics: [topic], partitions, replicas: 1 });
    return topic;
  };
  const producerOf = ({ brokers }: Broker): Producer =>
    opened(new Producer({ clientId: "test", bootstrapBrokers: brokers, retryDelay: 50 }));
  const consumerOf = ({ brokers }: Broker, groupId: string, options: object = {}): Consumer => {
    const consumer = new Consumer({
      clientId: "test",
      groupId,
      bootstrapBrokers: brokers,
      sessionTimeout: 6000,
      heartbeatInterval: 200,
      maxWaitTime: 200,
      retryDelay: 50,
      ...options,
    });
    opened({ close: () => consumer.close(true) });
    return consumer;
  };
  const send = (producer: Producer, topic: string, values: string[], partition = 0) =>
    producer.send({
      acks: ProduceAcks.ALL,
      messages: values.map((value) => ({ topic, partition, value: Buffer.from(value) })),
    });

  it("gives back what was produced, in order, with key, headers and offset", async () => {
    const broker = await begin();
    const topic = await topicOf(broker);
    const [key, value] = [Buffer.from("k"), Buffer.from("v")];
    const headers = new Map([[Buffer.from("h"), Buffer.from("1")]]);
    await producerOf(broker).send({ messages: [{ topic, partition: 0, key, value, headers }] });
    await send(producerOf(broker), topic, ["second", "third"]);

    const stream = await consumerOf(broker, uniqueName("g")).consume({
      topics: [topic],
      mode: "earliest",
    });
    const messages = [];
    for await (const message of stream) if (messages.push(message) === 3) break;

    expect(messages.map(({ offset, value }) => [offset, String(value)])).toEqual([
      [0n, "v"],
      [1n, "second"],
      [2n, "third"],
    ]);
    expect(String(messages[0]!.key)).toBe("k");
    expect(messages[0]!.headers.size).toBe(1);
  });

  it("answers a fetch that waits when something is produced", async () => {
    const broker = await begin();
    const topic = await topicOf(broker);
    const consumer = consumerOf(broker, uniqueName("g"), { maxWaitTime: 60_000 });
    const stream = await consumer.consume({ topics: [topic], mode: "latest" });
    const first = stream[Symbol.asyncIterator]().next();
    await vi.waitFor(() => expect(consumer.assignments).toHaveLength(1), { timeout: 20_000 });

    const producer = producerOf(broker);
    // A consumer that starts at the end does not say when it has found the end.
    const sending = setInterval(() => void send(producer, topic, ["now"]).catch(() => {}), 100);
    const { value } = await first;
    clearInterval(sending);

    expect(String(value.value)).toBe("now");
  });

  it("keeps what a member commits, with its metadata", async () => {
    const broker = await begin();
    const topic = await topicOf(broker);
    const group = uniqueName("g");
    const consumer = consumerOf(broker, group);
    await consumer.joinGroup({});

    const error = await commit(broker, consumer, topic, 5n, "more");

    expect(error).toBe(0);
    expect(await broker.committed(group)).toMatchObject([
      { partition: 0, offset: 5n, metadata: "more" },
    ]);
  });

  it("refuses metadata of more than 4096 bytes", async () => {
    const broker = await begin();
    const topic = await topicOf(broker);
    const consumer = consumerOf(broker, uniqueName("g"));
    await consumer.joinGroup({});

    expect(await commit(broker, consumer, topic, 5n, "x".repeat(4096))).toBe(0);
    expect(await commit(broker, consumer, topic, 5n, "x".repeat(4097))).toBe(12);
  });

  it("divides the partitions among members, and anew when one leaves", async () => {
    const broker = await begin();
    const topic = await topicOf(broker, 4);
    const group = uniqueName("g");
    const [one, two] = [consumerOf(broker, group), consumerOf(broker, group)];
    const streams = [];
    for (const consumer of [one, two])
      streams.push(await consumer.consume({ topics: [topic], mode: "latest" }));
    for (const stream of streams) stream.on("data", () => {});
    const counts = () => [one, two].map(({ assignments }) => assignments?.[0]?.partitions.length);
    await vi.waitFor(() => expect(counts()).toEqual([2, 2]), { timeout: 30_000 });

    await two.close(true);

    await vi.waitFor(() => expect(counts()[0]).toBe(4), { timeout: 30_000 });
  });

  it("refuses the commits of a member of the past", async () => {
    const broker = await begin();
    const topic = await topicOf(broker);
    const consumer = consumerOf(broker, uniqueName("g"));
    await consumer.joinGroup({});
    const { groupId, memberId, generationId } = consumer;
    const past = { groupId, memberId: memberId!, generationId: generationId - 1 };

    expect(await commit(broker, past, topic, 5n)).toBe(22);
    await (consumer.leaveGroup(true) as unknown as Promise<void>);
    await consumer.joinGroup({});
    expect(await commit(broker, past, topic, 5n)).toBe(25);
  });

  it("tells that an offset is gone", async () => {
    const broker = await begin();
    const topic = await topicOf(broker);
    for (const value of ["a", "b", "c"]) await send(producerOf(broker), topic, [value]);
    await broker.deleteRecords(topic, 0, 2n);
    const consumer = consumerOf(broker, uniqueName("g"), { retries: 0 });
    consumer.topics.trackAll(topic);

    const offsets = await consumer.listOffsets({ topics: [topic], timestamp: -2n });
    expect(offsets.get(topic)).toEqual([2n]);
    const metadata = await consumer.metadata({ topics: [topic] });
    const { id, partitions } = metadata.topics.get(topic)!;
    const partition = { partition: 0, fetchOffset: 0n, partitionMaxBytes: 1000 };
    const request = {
      node: partitions[0]!.leader,
      topics: [
        {
          topicId: id,
          partitions: [{ ...partition, currentLeaderEpoch: -1, lastFetchedEpoch: -1 }],
        },
      ],
    };

    expect(await codesOf(consumer.fetch(request))).toContain(1);
  });

  it("takes what an idempotent producer sends", async () => {
    const broker = await begin();
    const topic = await topicOf(broker);
    const producer = opened(
      new Producer({ clientId: "test", bootstrapBrokers: broker.brokers, idempotent: true }),
    );

    await send(producer, topic, ["a", "b"]);
    const { offsets } = await send(producer, topic, ["c"]);

    expect(offsets).toMatchObject([{ topic, partition: 0, offset: 2n }]);
  });
}

describe("the mini-broker", () => {
  behavesLikeKafka(async () => {
    const mini = await startMiniBroker();
    return {
      brokers: mini.brokers,
      committed: async (group) => mini.committed(group),
      deleteRecords: async (...where) => mini.deleteRecords(...where),
      [Symbol.asyncDispose]: () => mini.stop(),
    };
  });
});

describeWith("kafka", "Apache Kafka", () => {
  behavesLikeKafka(async () => {
    const { brokers, admin } = sharedKafka();
    return {
      brokers,
      committed: (group) => admin.committed(group),
      deleteRecords: (...where) => admin.deleteRecords(...where),
      [Symbol.asyncDispose]: async () => {},
    };
  });
});

/** Commits as the client's `commit` does not: with metadata, in the name of anybody. Gives the code of Kafka's error. */
async function commit(
  { brokers }: Broker,
  member: { groupId: string; memberId: string | null; generationId: number },
  topic: string,
  committedOffset: bigint,
  committedMetadata = "",
): Promise<number> {
  const connection = new Connection("test");
  await connection.connect("127.0.0.1", Number(brokers[0]!.split(":")[1]));
  const partition = { partitionIndex: 0, committedOffset, committedLeaderEpoch: -1 };
  const topics = [{ name: topic, partitions: [{ ...partition, committedMetadata }] }];
  const { groupId, memberId, generationId } = member;
  const answer = offsetCommitV7.api.async(
    connection,
    groupId,
    generationId,
    memberId!,
    null,
    topics,
  );
  const [code = 0] = await codesOf(answer);
  await connection.close();
  return code;
}

/** The codes of Kafka's errors that a promise was rejected with. */
async function codesOf(promise: Promise<unknown>): Promise<number[]> {
  const codes: number[] = [];
  const collect = (error: unknown): void => {
    if (!(error instanceof Error)) return;
    const { apiCode, errors, cause } = error as Error & { apiCode?: number; errors?: unknown[] };
    if (apiCode !== undefined) codes.push(apiCode);
    for (const each of [...(errors ?? []), cause]) collect(each);
  };
  await promise.then(() => {}, collect);
  return codes;
}
