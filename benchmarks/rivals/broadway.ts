import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

import type { Job } from "../src/rival.ts";

const script = join(import.meta.dirname, "../rivals/broadway.exs");

/** Elixir's Broadway, where Elixir is at hand: a process of its own, with all cores, that stays for all rounds as its compiler warms up, too. */
export class Broadway {
  /** With its version. */
  readonly name: string;
  readonly #child: Child;
  readonly #answers: AsyncIterator<string>;

  private constructor(name: string, child: Child, answers: AsyncIterator<string>) {
    this.name = name;
    this.#child = child;
    this.#answers = answers;
  }

  /** Undefined where there is no Elixir, or where it cannot have Broadway; says why on standard error. */
  static async start(): Promise<Broadway | undefined> {
    const child: Child = spawn("elixir", [script], { stdio: ["pipe", "pipe", "inherit"] });
    child.stdin.on("error", () => {});
    try {
      await once(child, "spawn");
    } catch {
      return undefined;
    }
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { value: name, done } = await answers.next();
    return done === true ? undefined : new Broadway(name, child, answers);
  }

  /** The milliseconds from its start until everything is acknowledged, by its own clock. */
  async run(job: Job): Promise<number> {
    const { items, concurrency, wait, batch } = job;
    const kind = wait !== undefined ? "wait" : batch === undefined ? "noop" : "batch";
    // It knows no end of a source: a last batch that is not full would wait for its timeout.
    const { size } = batch ?? { size: 1 };
    const messages = Math.max(size, items.length - (items.length % size));
    this.#child.stdin.write(`${kind} ${messages} ${concurrency}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error(`${this.name} ended at ${kind}; it says why above.`);
    return Number(value);
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.stdin.end();
    await ended;
  }
}

type Child = ChildProcessByStdio<Writable, Readable, null>;
