import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { type KafkaServer, type PostgresServer, startKafka, startPostgres } from "test-servers";
import { describeWith } from "test-servers/vitest";
import { afterAll, beforeAll, expect, it } from "vitest";

import { deadLetters } from "../dead-letters.ts";
import { flights } from "../flights.ts";
import { contents, createTable } from "../table.ts";

const demo = fileURLToPath(new URL("../demo.ts", import.meta.url));
const EVENTS = 20_000;
const SPOILED = 5;

interface Ending {
  readonly code: number | null;
  readonly output: string;
}

/** In a group of its own, so that all of it can be killed as one. */
function start(env: NodeJS.ProcessEnv = {}): { child: ChildProcess; ended: Promise<Ending> } {
  const args = [demo, "--events", String(EVENTS)];
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, detached: true });
  let output = "";
  child.stdout?.on("data", (chunk) => (output += String(chunk)));
  child.stderr?.on("data", (chunk) => (output += String(chunk)));
  const ended = new Promise<Ending>((resolve) => {
    child.on("close", (code) => resolve({ code, output }));
  });
  return { child, ended };
}

describeWith(["kafka", "postgres"], "npm run demo:kafka", () => {
  let kafka: KafkaServer;
  let postgres: PostgresServer;

  beforeAll(async () => {
    kafka = await startKafka();
    postgres = await startPostgres();
  });

  afterAll(async () => {
    await postgres?.stop();
    await kafka?.stop();
  });

  it("starts both servers and reads back that every good event was written once", async () => {
    const { code, output } = await start().ended;
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain("20,000 rows in the table flights, 20,000 different ids");
    expect(output).toContain("5 dead letters in the topic flights.dlq");
    expect(output).toContain("Nothing is missing, nothing is there twice.");
  });

  it("has every good event once after a kill -9 while it was writing, on servers of its user", async () => {
    const env = { KAFKA_BROKERS: kafka.brokers.join(), DATABASE_URL: postgres.url };
    const good = (await flights(EVENTS)).filter(({ spoiled }) => !spoiled).map(({ id }) => id);
    await createTable(postgres.url);
    const { child, ended } = start(env);
    while ((await contents(postgres.url, [])).rows === 0) await sleep(10);
    process.kill(-(child.pid as number), "SIGKILL");
    await ended;

    const { code, output } = await start(env).ended;
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(await contents(postgres.url, good)).toMatchObject({
      rows: good.length,
      ids: good.length,
      missing: 0,
    });
    expect((await deadLetters(kafka.brokers)).size).toBe(SPOILED);
  });

  it("says what to install or to start where a server is missing", async () => {
    const { code, output } = await start({ WESTEND_WITHOUT: "kafka" }).ended;
    expect(code).toBe(1);
    expect(output).toContain("docker compose up --wait");
    expect(output).not.toContain("    at ");
  });

  it("says which server it cannot reach", async () => {
    const env = {
      KAFKA_BROKERS: kafka.brokers.join(),
      DATABASE_URL: "postgresql://x@127.0.0.1:1/x",
    };
    const { code, output } = await start(env).ended;
    expect(code).toBe(1);
    expect(output).toContain("PostgreSQL (DATABASE_URL) could not be used.");
    expect(output).not.toContain("    at ");
  });
});
