import { Kafka, logLevel } from "kafkajs";
import { Pool } from "pg";

import type { Flight } from "../flights.ts";
import { brokers, database, groupId, sessionTimeout, topic } from "./settings.ts";

/** The consumer most teams have: the first example of KafkaJS's documentation, with an INSERT in it. */
const pool = new Pool({ connectionString: database, max: 12 });
const consumer = new Kafka({ brokers, logLevel: logLevel.ERROR }).consumer({
  groupId,
  sessionTimeout,
});

await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  // KafkaJS takes one partition at a time unless told otherwise.
  partitionsConsumedConcurrently: Number(process.argv[2] ?? 1),
  async eachMessage({ message }) {
    const flight = JSON.parse(String(message.value)) as Flight;
    await pool.query(
      `INSERT INTO flights (id, delay, distance, time, produced_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT DO NOTHING`,
      [flight.id, flight.delay, flight.distance, flight.time, new Date(Number(message.timestamp))],
    );
  },
});
