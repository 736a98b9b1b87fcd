import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { ServerProcess } from "../server-process.ts";
import { javaTool } from "./java.ts";

const run = promisify(execFile);

/** Quick to start rather than quick to run: a test's broker lives for seconds. */
const JVM = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xshare:auto"];
const LOG_LEVEL = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn";

export interface BrokerSettings {
  readonly id: number;
  /** Of Kafka's jars. */
  readonly jars: string;
  /** Of this broker alone. */
  readonly folder: string;
  readonly properties: string;
  /** Megabytes. */
  readonly heap: number;
}

/** One broker: a JVM that can be killed, paused and started again on the same port and data. */
export class Broker {
  readonly id: number;
  readonly #settings: BrokerSettings;
  readonly #isReady: (id: number, signal: AbortSignal) => Promise<unknown>;
  #process: ServerProcess | undefined;

  constructor(
    settings: BrokerSettings,
    isReady: (id: number, signal: AbortSignal) => Promise<unknown>,
  ) {
    this.id = settings.id;
    this.#settings = settings;
    this.#isReady = isReady;
  }

  /** Of its process; -1 before it was started. */
  get pid(): number {
    return this.#process?.pid ?? -1;
  }

  /** Prepares the data folder, once. */
  async format(cluster: string, options: readonly string[] = []): Promise<void> {
    const { jars, folder, properties } = this.#settings;
    writeFileSync(this.#file, properties);
    const tool = [
      "kafka.tools.StorageTool",
      "format",
      `--cluster-id=${cluster}`,
      "-c",
      this.#file,
      ...options,
    ];
    await run(javaTool("java"), [...JVM, LOG_LEVEL, "-cp", `${jars}/*`, ...tool], { cwd: folder });
  }

  /** Resolves when the broker answers. */
  async start(): Promise<void> {
    if (this.#process?.isRunning) return;
    const { jars, folder, heap } = this.#settings;
    const args = [...JVM, `-Xmx${heap}m`, LOG_LEVEL, "-cp", `${jars}/*`, "kafka.Kafka", this.#file];
    const log = join(folder, "broker.log");
    this.#process = new ServerProcess({ command: javaTool("java"), args, log, cwd: folder });
    await this.#process.ready((signal) => this.#isReady(this.id, signal));
  }

  /** As a power cut: SIGKILL. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** In an orderly way: leaders move away first, if there is where to. */
  async stop(): Promise<void> {
    await this.#process?.stop("SIGTERM");
  }

  /** Starts it again after `kill` or `stop`; kills it first if it runs. */
  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Holds it without closing its connections: SIGSTOP. */
  pause(): void {
    this.#process?.signal("SIGSTOP");
  }

  resume(): void {
    this.#process?.signal("SIGCONT");
  }

  get #file(): string {
    return join(this.#settings.folder, "broker.properties");
  }
}
