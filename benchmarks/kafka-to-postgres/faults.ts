import { setTimeout as sleep } from "node:timers/promises";

import { Consumer } from "./consumer.ts";
import type { Contestant } from "./contestants.ts";
import { type FlightEvent, flightEvents } from "./flights.ts";
import { newGroup, type Study } from "./study.ts";

export interface FaultResult {
  /** Events that could have been written and are not in the table. */
  readonly missing: number;
  /** How often the process ended by itself; it was started again each time. */
  readonly deaths: number;
}

interface Fault {
  readonly events: readonly FlightEvent[];
  /** How many of them fit the table. */
  readonly good: number;
  /** kill -9 when so many rows are in the table. */
  readonly kills: readonly number[];
}

/** Milliseconds without a new row after which none is waited for: some session timeouts. */
const QUIET = 30_000;
/** Milliseconds between an end and the next start, as a supervisor waits. */
const RESTART = 1000;
const LOOK = 20;

/** Two events do not fit: one is cut off, one has a word for a number. */
export async function poison(): Promise<Fault> {
  const events = await flightEvents(10_000, "flight");
  const [cut, wrong] = [5000, 7000];
  return {
    events: events.map(({ key, value }, index) => {
      if (index === cut) return { key, value: value.slice(0, 30) };
      if (index === wrong) return { key, value: value.replace(/"delay":-?\d+/, '"delay":"late"') };
      return { key, value };
    }),
    good: events.length - 2,
    kills: [],
  };
}

/** Killed twice in the middle of work. */
export async function kills(): Promise<Fault> {
  const events = await flightEvents(20_000, "flight");
  return { events, good: events.length, kills: [5000, 10_000] };
}

/** What is in the table when nothing more comes. */
export async function survive(
  study: Study,
  contestant: Contestant,
  { topic, good, kills }: Fault & { readonly topic: string },
): Promise<FaultResult> {
  const { kafka, database, table } = study;
  await table.reset();
  const task = { brokers: kafka.brokers, topic, group: newGroup(), database };
  let consumer = new Consumer(contestant, task);
  const restart = async (): Promise<void> => {
    await consumer.kill();
    await sleep(RESTART);
    consumer = new Consumer(contestant, task);
  };
  const planned = [...kills];
  let rows = 0;
  let deaths = 0;
  let changed = Date.now();
  try {
    while (rows < good && Date.now() - changed < QUIET) {
      await sleep(LOOK);
      const now = await table.count();
      if (now > rows) changed = Date.now();
      rows = now;
      if (rows >= (planned[0] ?? Infinity)) {
        planned.shift();
        await restart();
      } else if (!consumer.isRunning) {
        deaths++;
        await restart();
      }
    }
  } finally {
    await consumer.kill();
  }
  return { missing: good - rows, deaths };
}
