import { Producer } from "@platformatic/kafka";
import { type KafkaServer, startKafka } from "test-servers";
import { describeWith, uniqueName } from "test-servers/vitest";
import { afterAll, beforeAll, expect, it, vi } from "vitest";

const patiently = { timeout: 60_000, interval: 100 };

describeWith("kafka", "a Kafka cluster of three nodes behind proxies", () => {
  let kafka: KafkaServer;
  beforeAll(async () => {
    kafka = await startKafka({ nodes: 3, proxied: true });
  });
  afterAll(() => kafka.stop());

  it("moves a leader to the node named", async () => {
    const topic = uniqueName("events");
    await kafka.admin.createTopic(topic);
    const [leader] = await kafka.admin.leaders(topic);
    const other = (leader! % 3) + 1;

    await kafka.admin.moveLeader(topic, 0, other);

    expect(await kafka.admin.leaders(topic)).toEqual([other]);
  });

  it("has another leader when one is killed, and takes the old one back", async () => {
    const topic = uniqueName("events");
    await kafka.admin.createTopic(topic);
    const [leader] = await kafka.admin.leaders(topic);

    await kafka.node(leader!).kill();
    await vi.waitFor(async () => {
      const [next] = await kafka.admin.leaders(topic);
      expect([1, 2, 3].filter((id) => id !== leader)).toContain(next);
    }, patiently);
    await kafka.node(leader!).start();

    await kafka.admin.moveLeader(topic, 0, leader!);
  });

  it("is reached by clients through the proxies alone", async () => {
    const topic = uniqueName("events");
    await kafka.admin.createTopic(topic);
    for (const id of [1, 2, 3]) kafka.proxy(id).set({ down: true });
    const options = { clientId: "test", bootstrapBrokers: kafka.brokers, retries: false };

    const cutOff = new Producer(options);
    await expect(cutOff.send({ messages: [{ topic, value: Buffer.from("a") }] })).rejects.toThrow(
      "Cannot connect to any broker",
    );
    await cutOff.close();
    for (const id of [1, 2, 3]) kafka.proxy(id).clear();

    const producer = new Producer(options);
    await producer.send({ messages: [{ topic, value: Buffer.from("a") }] });
    await producer.close();
  });
});
