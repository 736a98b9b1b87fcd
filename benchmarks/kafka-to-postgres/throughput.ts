import type { Contestant } from "./contestants.ts";
import { type Study, untilWritten, withConsumer } from "./study.ts";

export interface ThroughputOptions {
  readonly topic: string;
  /** How many the topic has. */
  readonly events: number;
  /** Milliseconds after which a run is ended, however far it is. */
  readonly limit: number;
}

export interface Throughput {
  readonly rows: number;
  /** Between the first and the last commit: joining the group is not counted. */
  readonly milliseconds: number;
  /** Rows a second. */
  readonly rate: number;
  /** Rows a second from the start of the process on: what was fetched and parsed before the first commit is paid for, too. */
  readonly rateFromStart: number;
  /** INSERT statements for 1,000 rows. */
  readonly inserts: number;
  /** Milliseconds of CPU time of the consumer for 1,000 rows, its start included. */
  readonly cpu: number;
  /** Bytes. */
  readonly memory: number;
}

/** A topic that is full: how fast does it get into the table? */
export async function throughput(
  study: Study,
  contestant: Contestant,
  { topic, events, limit }: ThroughputOptions,
): Promise<Throughput> {
  return withConsumer(study, contestant, topic, async (consumer) => {
    const started = Date.now();
    const prefix = "flight";
    await untilWritten(study.table, consumer, events, { prefix, limit });
    const { cpu, memory } = await consumer.usage();
    await consumer.kill();
    const inserts = await study.table.inserts();
    const commits = (await study.table.written()).map(({ committed }) => committed);
    const rows = commits.length;
    const milliseconds = greatest(commits) - least(commits);
    return {
      rows,
      milliseconds,
      rate: (rows / milliseconds) * 1000,
      rateFromStart: (rows / (greatest(commits) - started)) * 1000,
      inserts: (inserts / rows) * 1000,
      cpu: (cpu / rows) * 1000,
      memory,
    };
  });
}

function least(values: readonly number[]): number {
  return values.reduce((one, other) => Math.min(one, other), Infinity);
}

function greatest(values: readonly number[]): number {
  return values.reduce((one, other) => Math.max(one, other), -Infinity);
}
