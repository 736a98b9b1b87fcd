import { setTimeout as sleep } from "node:timers/promises";

import { Producer, stringSerializers } from "@platformatic/kafka";

import { flightEvents } from "./flights.ts";

/**
 * Offers events at a fixed rate, whoever keeps up with it. The timestamp of an event is the moment at which it was due, so that
 * what this process or the broker is late counts, too; for everybody the same.
 */
const [brokers = "", topic = "", prefix = "", rate = "", seconds = ""] = process.argv.slice(2);
const TICK = 5;
const perMillisecond = Number(rate) / 1000;
const total = Math.round(Number(rate) * Number(seconds));
const events = await flightEvents(total, prefix);
const producer = new Producer({
  clientId: "load",
  bootstrapBrokers: brokers.split(","),
  serializers: stringSerializers,
});
await producer.connectToBrokers();

const start = Date.now();
const requests: Promise<unknown>[] = [];
let sent = 0;
while (sent < total) {
  const due = Math.min(total, Math.ceil((Date.now() - start) * perMillisecond));
  const messages = events.slice(sent, due).map((event, index) => ({
    ...event,
    topic,
    timestamp: BigInt(Math.floor(start + (sent + index) / perMillisecond)),
  }));
  if (messages.length > 0) requests.push(producer.send({ messages }));
  sent = due;
  await sleep(TICK);
}
await Promise.all(requests);
await producer.close();
