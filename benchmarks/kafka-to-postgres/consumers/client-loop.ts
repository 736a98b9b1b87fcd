import { Consumer, type Message, stringDeserializers } from "@platformatic/kafka";
import { Pool } from "pg";

import type { Flight } from "../flights.ts";
import { brokers, database, groupId, sessionTimeout, topic } from "./settings.ts";

/**
 * The least that reads this topic and writes this table in batches: no retries, no rebalance, no dead letters, one bad event
 * ends it. What can be had from the client and the server if nothing is promised.
 */
const SIZE = 100;
const TIMEOUT = 500;
const COMMIT = 1000;
const INSERTS = Number(process.argv[2] ?? 1);
type Event = Message<string, string, string, string>;

const pool = new Pool({ connectionString: database });
const consumer = new Consumer({
  clientId: "client-loop",
  groupId,
  bootstrapBrokers: brokers,
  deserializers: stringDeserializers,
  autocommit: false,
  sessionTimeout,
});
const stream = await consumer.consume({
  topics: [topic],
  mode: "committed",
  fallbackMode: "earliest",
});

let open: Event[] = [];
let uncommitted = 0;
/** Inserts under way. */
const inserting = new Set<Promise<void>>();
/** The next offset by partition. */
const reached = new Map<number, { offset: bigint; leaderEpoch: number }>();

setInterval(() => flush(), TIMEOUT);
for await (const message of stream) {
  open.push(message);
  if (open.length >= SIZE) {
    flush();
    if (inserting.size >= INSERTS) await Promise.race(inserting);
  }
}

function flush(): void {
  const messages = open;
  open = [];
  if (messages.length === 0) return;
  const insertion = insert(messages).finally(() => inserting.delete(insertion));
  inserting.add(insertion);
}

async function insert(messages: readonly Event[]): Promise<void> {
  const flights = messages.map((message) => JSON.parse(message.value) as Flight);
  await pool.query({
    name: "insert",
    text: `INSERT INTO flights (id, delay, distance, time, produced_at)
      SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::float8[], $5::timestamptz[])
      ON CONFLICT DO NOTHING`,
    values: [
      flights.map(({ id }) => id),
      flights.map(({ delay }) => delay),
      flights.map(({ distance }) => distance),
      flights.map(({ time }) => time),
      messages.map(({ timestamp }) => new Date(Number(timestamp))),
    ],
  });
  for (const { partition, offset, leaderEpoch } of messages) {
    reached.set(partition, { offset: offset + 1n, leaderEpoch });
  }
  uncommitted += messages.length;
  if (uncommitted >= COMMIT) await commit();
}

async function commit(): Promise<void> {
  uncommitted = 0;
  const offsets = [...reached].map(([partition, place]) => ({ topic, partition, ...place }));
  await consumer.commit({ offsets });
}
