import { Consumer, Producer } from "@platformatic/kafka";
import { startKafka } from "test-servers";
import { describeWith, sharedKafka, uniqueName } from "test-servers/vitest";
import { expect, it } from "vitest";

describeWith("kafka", "a Kafka of its own", () => {
  it("answers, and keeps what was written through kill -9", async () => {
    await using kafka = await startKafka();
    await kafka.admin.createTopic("events", { partitions: 2 });
    await produce(kafka.brokers, "events", ["a", "b"]);

    await kafka.node(1).kill();
    await kafka.node(1).start();

    expect(await read(kafka.brokers, "events", 2)).toEqual(["a", "b"]);
  });
});

describeWith("kafka", "the Kafka that test files share", () => {
  it("has topics by the number of partitions asked for", async () => {
    const { admin } = sharedKafka();
    const topic = uniqueName("events");

    await admin.createTopic(topic, { partitions: 3 });

    expect(await admin.leaders(topic)).toEqual([1, 1, 1]);
  });

  it("shows what a group has committed, with its metadata", async () => {
    const { admin, brokers } = sharedKafka();
    const topic = uniqueName("events");
    const group = uniqueName("group");
    await admin.createTopic(topic);
    const consumer = new Consumer({ clientId: "test", groupId: group, bootstrapBrokers: brokers });
    await consumer.joinGroup({});

    await consumer.commit({ offsets: [{ topic, partition: 0, offset: 7n, leaderEpoch: 0 }] });
    await consumer.close(true);

    expect(await admin.committed(group)).toEqual([
      { topic, partition: 0, offset: 7n, metadata: "" },
    ]);
  });
});

async function produce(brokers: string[], topic: string, values: string[]): Promise<void> {
  const producer = new Producer({ clientId: "test", bootstrapBrokers: brokers });
  await producer.send({
    messages: values.map((value) => ({ topic, partition: 0, value: Buffer.from(value) })),
  });
  await producer.close();
}

async function read(brokers: string[], topic: string, count: number): Promise<string[]> {
  const groupId = uniqueName("reader");
  const consumer = new Consumer({ clientId: "test", groupId, bootstrapBrokers: brokers });
  const stream = await consumer.consume({ topics: [topic], mode: "earliest" });
  const values: string[] = [];
  for await (const { value } of stream) {
    values.push(String(value));
    if (values.length === count) break;
  }
  await consumer.close(true);
  return values;
}
