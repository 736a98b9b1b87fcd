import { Producer, stringSerializers } from "@platformatic/kafka";

import type { KafkaServer } from "test-servers";

import type { FlightEvent } from "./flights.ts";

export const PARTITIONS = 12;
/** How many events go into one request. */
const CHUNK = 2000;

/** Makes a topic, and one for the events that are of no use, and fills it with events as fast as it takes them. */
export async function createTopic(
  { admin, brokers }: KafkaServer,
  topic: string,
  events: readonly FlightEvent[],
): Promise<void> {
  await admin.createTopic(topic, { partitions: PARTITIONS });
  await admin.createTopic(`${topic}.dlq`);
  const producer = new Producer({
    clientId: "case-study",
    bootstrapBrokers: brokers,
    serializers: stringSerializers,
  });
  for (let start = 0; start < events.length; start += CHUNK) {
    const messages = events.slice(start, start + CHUNK).map((event) => ({ ...event, topic }));
    await producer.send({ messages });
  }
  await producer.close();
}
