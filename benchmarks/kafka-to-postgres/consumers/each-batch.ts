import { Kafka, type KafkaMessage, logLevel } from "kafkajs";
import { Pool } from "pg";

import type { Flight } from "../flights.ts";
import { brokers, database, groupId, sessionTimeout, topic } from "./settings.ts";

/** A home-grown consumer by somebody who has read all of KafkaJS's documentation. */
const SIZE = 100;
const pool = new Pool({ connectionString: database, max: 12 });
const consumer = new Kafka({ brokers, logLevel: logLevel.ERROR }).consumer({
  groupId,
  sessionTimeout,
});

await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachBatchAutoResolve: false,
  partitionsConsumedConcurrently: Number(process.argv[2] ?? 1),
  async eachBatch({ batch, resolveOffset, heartbeat, isRunning, isStale }) {
    const { partition, messages } = batch;
    let next: string | undefined;
    for (let start = 0; start < messages.length; start += SIZE) {
      if (!isRunning() || isStale()) break;
      const chunk = messages.slice(start, start + SIZE);
      await insert(chunk);
      const last = chunk.at(-1)?.offset ?? "0";
      resolveOffset(last);
      next = String(BigInt(last) + 1n);
      await heartbeat();
    }
    if (next !== undefined) await consumer.commitOffsets([{ topic, partition, offset: next }]);
  },
});

async function insert(messages: readonly KafkaMessage[]): Promise<void> {
  const values = messages.flatMap((message) => {
    const { id, delay, distance, time } = JSON.parse(String(message.value)) as Flight;
    return [id, delay, distance, time, new Date(Number(message.timestamp))];
  });
  const rows = messages.map((_, row) => {
    const first = row * 5;
    return `($${first + 1}, $${first + 2}, $${first + 3}, $${first + 4}, $${first + 5})`;
  });
  await pool.query({
    // Prepared once for each number of rows.
    name: `insert-${messages.length}`,
    text: `INSERT INTO flights (id, delay, distance, time, produced_at) VALUES ${rows.join()}
      ON CONFLICT DO NOTHING`,
    values,
  });
}
