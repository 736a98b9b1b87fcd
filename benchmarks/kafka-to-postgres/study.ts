import { setTimeout as sleep } from "node:timers/promises";

import type { KafkaServer } from "test-servers";

import { Consumer } from "./consumer.ts";
import type { Contestant } from "./contestants.ts";
import type { Table } from "./table.ts";

/** The servers everybody works with, one contestant at a time. */
export interface Study {
  readonly kafka: KafkaServer;
  readonly database: string;
  readonly table: Table;
}

/** How often the table is looked at. */
const LOOK = 250;
/** Until the first row: the group has to be joined. */
const PATIENCE = 60_000;
let groups = 0;

/** A group nobody has been in. */
export function newGroup(): string {
  return `study-${++groups}`;
}

/** Runs a contestant on a topic and an empty table, in a new group, while `work` goes on. */
export async function withConsumer<Result>(
  { kafka, database, table }: Study,
  contestant: Contestant,
  topic: string,
  work: (consumer: Consumer) => Promise<Result>,
): Promise<Result> {
  await table.reset();
  const task = { brokers: kafka.brokers, topic, group: newGroup(), database };
  const consumer = new Consumer(contestant, task);
  try {
    return await work(consumer);
  } finally {
    await consumer.kill();
  }
}

/** Resolves when the table has `rows` rows whose id begins with `prefix`, or `limit` milliseconds after the first one. */
export async function untilWritten(
  table: Table,
  consumer: Consumer,
  rows: number,
  { prefix, limit }: { prefix: string; limit: number },
): Promise<void> {
  const started = Date.now();
  let first: number | undefined;
  for (;;) {
    const count = await table.count(prefix);
    if (count >= rows) return;
    if (count > 0) first ??= Date.now();
    if (first !== undefined && Date.now() - first > limit) return;
    if (first === undefined && Date.now() - started > PATIENCE) {
      throw new Error(`no row after ${PATIENCE} ms`);
    }
    consumer.check();
    await sleep(LOOK);
  }
}
