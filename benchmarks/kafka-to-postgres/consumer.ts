import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import type { Contestant } from "./contestants.ts";
import type { Usage } from "./usage.ts";

export interface Task {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly group: string;
  readonly database: string;
}

/** A contestant at work, in a process of its own. */
export class Consumer {
  readonly #child: ChildProcess;
  readonly #name: string;
  #output = "";

  constructor({ name, script, args }: Contestant, { brokers, topic, group, database }: Task) {
    this.#name = name;
    this.#child = fork(join(import.meta.dirname, "consumers", script), args, {
      execArgv: [...process.execArgv, "--import", join(import.meta.dirname, "usage.ts")],
      env: {
        ...process.env,
        KAFKA_BROKERS: brokers.join(),
        KAFKA_TOPIC: topic,
        KAFKA_GROUP: group,
        DATABASE_URL: database,
      },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString()).slice(-4000);
    };
    this.#child.stdout?.on("data", keep);
    this.#child.stderr?.on("data", keep);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Throws if the process has ended: nobody has asked it to. */
  check(): void {
    if (this.isRunning) return;
    const { exitCode, signalCode } = this.#child;
    throw new Error(
      `"${this.#name}" ended with ${exitCode ?? signalCode}, it said:\n${this.#output}`,
    );
  }

  async usage(): Promise<Usage> {
    this.check();
    this.#child.send("usage");
    const [usage] = (await once(this.#child, "message")) as [Usage];
    return usage;
  }

  /** No orderly end is asked for: the next one works in a group of its own. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}
