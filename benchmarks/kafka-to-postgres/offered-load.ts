import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { percentile } from "../src/statistics.ts";
import type { Contestant } from "./contestants.ts";
import { flightEvents } from "./flights.ts";
import { type Study, untilWritten, withConsumer } from "./study.ts";
import { createTopic } from "./topic.ts";

const run = promisify(execFile);

export interface LoadOptions {
  /** Events a second. */
  readonly rate: number;
  readonly seconds: number;
}

export interface LoadResult {
  /** Milliseconds from when an event was due to be produced until its row was committed. */
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
  /** Events that were not in the table three times as long after the start as the load lasted: missing from the times above. */
  readonly unwritten: number;
  /** INSERT statements for 1,000 rows, those of the warm-up included. */
  readonly inserts: number;
  /** Events produced and not yet in the table, over the seconds since the start. */
  readonly lag: readonly { readonly x: number; readonly y: number }[];
}

/** Handled before the load begins: the group is joined, code is compiled. */
const WARM_UP = 3000;
/** Seconds between two points of the plot. */
const STEP = 0.1;
let topics = 0;

/** Events that keep coming: how old are they when they are in the table? */
export async function offeredLoad(
  study: Study,
  contestant: Contestant,
  { rate, seconds }: LoadOptions,
): Promise<LoadResult> {
  const { kafka, table } = study;
  const topic = `load-${++topics}`;
  await createTopic(kafka, topic, await flightEvents(WARM_UP, "warm"));
  return withConsumer(study, contestant, topic, async (consumer) => {
    await untilWritten(table, consumer, WARM_UP, { prefix: "warm", limit: 60_000 });
    const args = [kafka.brokers.join(), topic, "load", String(rate), String(seconds)];
    const started = Date.now();
    await run(process.execPath, [join(import.meta.dirname, "load.ts"), ...args]);
    const offered = Math.round(rate * seconds);
    const limit = started + seconds * 3000 - Date.now();
    await untilWritten(table, consumer, offered, { prefix: "load", limit });
    await consumer.kill();
    const inserts = await table.inserts();
    const written = await table.written("load");
    const ages = written.map(({ produced, committed }) => committed - produced);
    return {
      p50: percentile(ages, 0.5),
      p99: percentile(ages, 0.99),
      worst: percentile(ages, 1),
      unwritten: offered - written.length,
      inserts: (inserts / (WARM_UP + written.length)) * 1000,
      lag: lagOf(written, { rate, seconds }),
    };
  });
}

/** From the table alone: at each moment, what had been due and what had been committed. */
function lagOf(
  written: readonly { readonly produced: number; readonly committed: number }[],
  { rate, seconds }: LoadOptions,
): { x: number; y: number }[] {
  const start = written[0]?.produced ?? 0;
  const commits = Float64Array.from(written, ({ committed }) => (committed - start) / 1000).sort();
  const end = Math.max(seconds, commits.at(-1) ?? 0);
  const points = [];
  let done = 0;
  for (let x = 0; x <= end + STEP; x += STEP) {
    while (done < commits.length && (commits[done] ?? 0) <= x) done++;
    points.push({ x, y: Math.max(0, Math.min(x, seconds) * rate - done) });
  }
  return points;
}
