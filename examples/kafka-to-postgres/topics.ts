import { Admin, Producer, stringSerializers } from "@platformatic/kafka";

import type { Event } from "./flights.ts";

/** Read by the pipeline. */
export const TOPIC = "flights";
/** Where it puts what it cannot use. */
export const DEAD_LETTERS = "flights.dlq";

const PARTITIONS = 12;
/** Events in one request. */
const CHUNK = 2000;

/** Makes the topics, unless they are there, and puts the events into the first one, unless they are in it. */
export async function fillTopic(brokers: string[], events: readonly Event[]): Promise<void> {
  const admin = new Admin({ clientId: "demo", bootstrapBrokers: brokers });
  try {
    const known = await admin.listTopics();
    for (const [topic, partitions] of [
      [TOPIC, PARTITIONS],
      [DEAD_LETTERS, 1],
    ] as const) {
      if (!known.includes(topic)) await admin.createTopics({ topics: [topic], partitions });
    }
    if ((await size(admin, TOPIC, PARTITIONS)) >= events.length) return;
  } finally {
    await admin.close();
  }
  const producer = new Producer({
    clientId: "demo",
    bootstrapBrokers: brokers,
    serializers: stringSerializers,
  });
  for (let start = 0; start < events.length; start += CHUNK) {
    const messages = events
      .slice(start, start + CHUNK)
      .map(({ id, value }) => ({ topic: TOPIC, key: id, value }));
    await producer.send({ messages });
  }
  await producer.close();
  console.log(
    `Produced ${events.length.toLocaleString("en")} flight events to the topic ${TOPIC}, ${PARTITIONS} partitions.`,
  );
}

/** How many messages a topic has had. */
async function size(admin: Admin, name: string, partitions: number): Promise<number> {
  const asked = Array.from({ length: partitions }, (_, partitionIndex) => ({
    partitionIndex,
    timestamp: -1n,
  }));
  const topics = await admin.listOffsets({ topics: [{ name, partitions: asked }] });
  return topics
    .flatMap((topic) => topic.partitions)
    .reduce((sum, { offset }) => sum + Number(offset), 0);
}
