import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { account } from "./account.ts";
import { flights } from "./flights.ts";
import { obstacle, type Servers, servers } from "./servers.ts";
import { createTable } from "./table.ts";
import { fillTopic } from "./topics.ts";

const { values: flags } = parseArgs({
  options: { events: { type: "string", default: "200000" } },
});

const problem = obstacle();
if (problem === undefined) process.exitCode = await demo(Number(flags.events)).catch(report);
else process.exitCode = report(new Error(problem));

async function demo(number: number): Promise<number> {
  const events = await flights(number);
  await using at = await servers();
  await reach("PostgreSQL (DATABASE_URL)", createTable(at.database));
  await reach(`Kafka (${at.brokers.join()})`, fillTopic(at.brokers, events));
  const code = await run(at);
  if (code !== 0) return code;
  return (await account(at, events)) ? 0 : 1;
}

/** Says which server it was that could not be used. */
async function reach(server: string, work: Promise<void>): Promise<void> {
  await work.catch((cause: unknown) => {
    throw new Error(`${server} could not be used. Is it running, and is it the right address?`, {
      cause,
    });
  });
}

/** The command a user would type: `westend run pipeline.ts`. */
async function run({ brokers, database }: Servers): Promise<number> {
  const command = fileURLToPath(import.meta.resolve("@westend/cli/package.json"));
  const bin = command.replace(/package\.json$/, "dist/bin.js");
  const pipeline = fileURLToPath(import.meta.resolve("./pipeline.ts"));
  const env = { ...process.env, KAFKA_BROKERS: brokers.join(), DATABASE_URL: database };
  const child = spawn(process.execPath, [bin, "run", pipeline], { stdio: "inherit", env });
  const [code] = (await once(child, "close")) as [number | null];
  return code ?? 1;
}

function report(error: Error): number {
  console.error(error.message);
  if (error.cause instanceof Error) console.error(`  ${error.cause.name}: ${error.cause.message}`);
  return 1;
}
