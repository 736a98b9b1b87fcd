import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { temporaryFolder } from "../folder.ts";
import { freePort } from "../ports.ts";
import { guard, ServerProcess } from "../server-process.ts";
import { until } from "../wait.ts";
import { postgresBinaries } from "./binaries.ts";

const run = promisify(execFile);

/** Milliseconds within which what is left of a killed server has ended. */
const LONGEST_END = 10_000;

/** PostgreSQL refuses to run as root; this user comes with it. */
const USER = "postgres";

export interface PostgresOptions {
  /** Whether a commit waits for the disk; default `true`. A killed process loses nothing either way. */
  readonly fsync?: boolean;
  /** Server settings beside the ones made for it. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface PostgresServer extends AsyncDisposable {
  /** Of its first process. */
  readonly pid: number;
  readonly port: number;
  /** Of the database `postgres`. */
  readonly url: string;
  /** Makes a database of that name and gives its URL. */
  createDatabase(name: string): Promise<string>;
  /** As a power cut: SIGKILL to all its processes. */
  kill(): Promise<void>;
  /** Starts it again after `kill`; kills it first if it runs. */
  restart(): Promise<void>;
  /** Holds it without closing its connections: SIGSTOP to all its processes. */
  pause(): void;
  resume(): void;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** Starts a PostgreSQL of its own; resolves when it accepts connections. */
export async function startPostgres({
  fsync = true,
  settings = {},
}: PostgresOptions = {}): Promise<PostgresServer> {
  const binaries = postgresBinaries();
  if (binaries === undefined) throw new Error("PostgreSQL is not installed: no postgres, initdb");
  const folder = temporaryFolder("postgres");
  const user = process.getuid?.() === 0 ? USER : undefined;
  const data = join(folder.path, "data");
  mkdirSync(data);
  if (user !== undefined) execFileSync("chown", [user, data]);

  const server = new Server(binaries, data, join(folder.path, "postgres.log"), user, {
    port: String(await freePort()),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: "100",
    ...(fsync ? {} : { fsync: "off", full_page_writes: "off" }),
    ...settings,
  });
  const stop = async (): Promise<void> => {
    await server.kill();
    folder.remove();
  };
  try {
    await server.initialize();
    await server.start();
  } catch (error) {
    await stop();
    throw error;
  }

  const url = (database: string): string =>
    `postgresql://postgres@127.0.0.1:${server.port}/${database}`;
  return {
    get pid() {
      return server.pid;
    },
    port: server.port,
    url: url("postgres"),
    async createDatabase(name) {
      await execute(url("postgres"), `create database "${name}"`);
      return url(name);
    },
    kill: () => server.kill(),
    restart: () => server.restart(),
    pause: () => server.signal("SIGSTOP"),
    resume: () => server.signal("SIGCONT"),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

class Server {
  readonly #binaries: string;
  readonly #data: string;
  readonly #log: string;
  readonly #user: string | undefined;
  readonly #settings: Readonly<Record<string, string>>;
  #process: ServerProcess | undefined;

  constructor(
    binaries: string,
    data: string,
    log: string,
    user: string | undefined,
    settings: Readonly<Record<string, string>>,
  ) {
    this.#binaries = binaries;
    this.#data = data;
    this.#log = log;
    this.#user = user;
    this.#settings = settings;
  }

  get port(): number {
    return Number(this.#settings["port"]);
  }

  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  async initialize(): Promise<void> {
    const options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
    const command = [join(this.#binaries, "initdb"), "-D", this.#data, ...options];
    const [file, ...args] = [...guard(this.#user), ...command];
    await run(file!, args, { cwd: this.#data });
  }

  async start(): Promise<void> {
    const settings = Object.entries(this.#settings).flatMap(([name, value]) => [
      "-c",
      `${name}=${value}`,
    ]);
    this.#process = new ServerProcess({
      command: join(this.#binaries, "postgres"),
      args: ["-D", this.#data, ...settings],
      log: this.#log,
      cwd: this.#data,
      user: this.#user,
    });
    // The last line of this file says how far it is, as pg_ctl reads it.
    const pidFile = join(this.#data, "postmaster.pid");
    await this.#process.ready((signal) =>
      until(
        "PostgreSQL is ready",
        () => {
          const lines = readFileSync(pidFile, "utf8").split("\n");
          return Number(lines[0]) === this.#process?.pid && lines[7]?.trim() === "ready";
        },
        { signal },
      ),
    );
  }

  /** A child that was made at the moment of the kill outlives it a little, and meanwhile no server can be started. */
  async restart(): Promise<void> {
    await this.kill();
    const end = performance.now() + LONGEST_END;
    for (;;) {
      try {
        await this.start();
        return;
      } catch (error) {
        const isInUse = (error as Error).message.includes("pre-existing shared memory");
        if (!isInUse || performance.now() > end) throw error;
        await sleep(100);
      }
    }
  }

  async kill(): Promise<void> {
    // A server whose parent has gone refuses to be replaced until its last child has seen that.
    this.signal("SIGKILL");
    await this.#process?.kill();
  }

  /** To the server and the processes it has made; the server first, so that it makes no more. */
  signal(signal: NodeJS.Signals): void {
    const server = this.#process;
    if (server === undefined || !server.isRunning) return;
    const children = childrenOf(server.pid);
    server.signal(signal);
    for (const pid of new Set([...children, ...childrenOf(server.pid)])) send(pid, signal);
  }
}

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  return stdout
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number])
    .filter(([, parent]) => parent === pid)
    .map(([child]) => child);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

async function execute(url: string, statement: string): Promise<void> {
  const { Client } = await import("pg");
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
