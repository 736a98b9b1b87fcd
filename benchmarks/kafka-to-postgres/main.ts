import { parseArgs } from "node:util";

import { startKafka, startPostgres } from "test-servers";

import { machine } from "../src/machine.ts";
import { median } from "../src/statistics.ts";
import { type Contestant, contestants, homeGrown } from "./contestants.ts";
import { kills, poison, survive } from "./faults.ts";
import { flightEvents } from "./flights.ts";
import { offeredLoad } from "./offered-load.ts";
import { save, summary } from "./report.ts";
import type { FaultResults, LoadResults, Results } from "./results.ts";
import type { Study } from "./study.ts";
import { SERVER_SETTINGS, Table } from "./table.ts";
import { type Throughput, throughput } from "./throughput.ts";
import { createTopic, PARTITIONS } from "./topic.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "500000" },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "15" },
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true },
    part: { type: "string", multiple: true, default: ["throughput", "load", "faults"] },
  },
});
const quick = values.quick;
const events = Number(values.events);
const rounds = quick ? 1 : Number(values.rounds);
/** A load takes its time. */
const loadRounds = Math.min(rounds, 2);
const seconds = quick ? 5 : Number(values.seconds);
/** Milliseconds: nobody else gets to work while a slow one goes through the whole topic. */
const LIMIT = 20_000;
/** Shares of what the home-grown consumer can do: what it would be run at, and a peak it was not made for. */
const LOADS = [0.8, 2];

const wanted = contestants.filter(({ name }) => values.only?.includes(name) ?? true);
const started = performance.now();
const here = machine();
await using kafka = await startKafka({ heap: 1024 });
await using postgres = await startPostgres({ settings: SERVER_SETTINGS });
const table = await Table.create(postgres.url);
const study: Study = { kafka, table, database: postgres.url };

const throughputs = values.part.includes("throughput") ? await measureThroughput() : {};
const loads = values.part.includes("load") ? await measureLoads() : [];
const faults = values.part.includes("faults") ? await sufferFaults() : [];
const results: Results = {
  machine: here,
  node: process.versions.node,
  kafka: kafka.version,
  postgres: await table.version(),
  settings: { events, rounds, loadRounds, seconds, partitions: PARTITIONS, quick },
  throughputs,
  loads,
  faults,
  milliseconds: performance.now() - started,
};
await table.close();
console.log(`\n${summary(results)}`);
console.log(`\n${save(results)}`);

async function measureThroughput(): Promise<Record<string, Throughput[]>> {
  const topic = "flights";
  await createTopic(kafka, topic, await flightEvents(events, "flight"));
  return interleaved("throughput", rounds, (contestant) =>
    throughput(study, contestant, { topic, events, limit: LIMIT }),
  );
}

async function measureLoads(): Promise<LoadResults[]> {
  const rates = (throughputs[homeGrown.name] ?? []).map(({ rate }) => rate);
  const all: LoadResults[] = [];
  for (const share of rates.length > 0 ? LOADS : []) {
    const rate = Math.round((median(rates) * share) / 100) * 100;
    const results = await interleaved(`${rate} events/s`, loadRounds, (contestant) =>
      offeredLoad(study, contestant, { rate, seconds }),
    );
    all.push({ rate, results });
  }
  return all;
}

async function sufferFaults(): Promise<FaultResults[]> {
  const all = [
    { name: "2 events of 10,000 that do not fit", fault: await poison() },
    { name: "kill -9, twice under way", fault: await kills() },
  ];
  const done: FaultResults[] = [];
  for (const [index, { name, fault }] of all.entries()) {
    const topic = `fault-${index}`;
    await createTopic(kafka, topic, fault.events);
    const results = await interleaved(name, 1, (contestant) =>
      survive(study, contestant, { ...fault, topic }),
    );
    done.push({ name, results });
  }
  return done;
}

/** A B C, A B C, …: whatever disturbs the machine disturbs everybody. */
async function interleaved<Result>(
  what: string,
  rounds: number,
  measure: (contestant: Contestant) => Promise<Result>,
): Promise<Record<string, Result[]>> {
  const results: Record<string, Result[]> = {};
  for (let round = 1; round <= rounds; round++) {
    for (const contestant of wanted) {
      const result = await measure(contestant);
      (results[contestant.name] ??= []).push(result);
      console.error(`${what}, round ${round}, ${contestant.name}: ${brief(result)}`);
    }
  }
  return results;
}

function brief(result: unknown): string {
  return Object.entries(result as object)
    .filter(([, value]) => typeof value === "number")
    .map(([name, value]) => `${name} ${Math.round(Number(value) * 10) / 10}`)
    .join(", ");
}
