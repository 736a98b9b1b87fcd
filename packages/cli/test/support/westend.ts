import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";

const root = join(import.meta.dirname, "../../../..");
const bundled = join(root, "node_modules/.bin/node");

/** Sources need a Node that runs TypeScript, whatever Node the tests run on. */
const node = existsSync(bundled) ? bundled : process.execPath;
const bin = join(root, "packages/cli/src/bin.ts");

/** Where commands run. */
export const fixtures: string = join(import.meta.dirname, "../fixtures");

/** The command with its arguments, for a shell or a spawn. */
export function commandLine(args: readonly string[]): readonly string[] {
  return [node, "--conditions=@westend/source", bin, ...args];
}

/** What a finished command left. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real command in a process of its own. */
export class Westend {
  readonly finished: Promise<Finished>;
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  #closed = false;
  #stdout = "";
  #stderr = "";

  constructor(args: readonly string[]) {
    const [command = "", ...rest] = commandLine(args);
    this.#child = spawn(command, rest, {
      cwd: fixtures,
      env: plainEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout?.on("data", (chunk) => {
      this.#stdout += String(chunk);
      this.#wake();
    });
    this.#child.stderr?.on("data", (chunk) => {
      this.#stderr += String(chunk);
      this.#wake();
    });
    this.finished = new Promise((resolve) => {
      this.#child.on("close", (code) => {
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr });
        this.#closed = true;
        this.#wake();
      });
    });
    onTestFinished(() => void this.#child.kill("SIGKILL"));
  }

  /** Waits until either output contains the text; fails if the command ends without it. */
  async says(text: string | RegExp, times: number = 1): Promise<void> {
    const all = new RegExp(typeof text === "string" ? escaped(text) : text.source, "g");
    const said = (): boolean => (this.#output.match(all)?.length ?? 0) >= times;
    while (!said()) {
      if (this.#closed) throw new Error(`It never said ${all}:\n${this.#output}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  get #output(): string {
    return this.#stdout + this.#stderr;
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** Runs the command to its end. */
export function westend(...args: string[]): Promise<Finished> {
  return new Westend(args).finished;
}

function escaped(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&");
}

/** This one, without what the test runner has put into it. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  // Where CI is set Node takes no terminal to have colors.
  const left = new Set(["CI", "FORCE_COLOR", "NO_COLOR", "NODE_OPTIONS", "NODE_V8_COVERAGE"]);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !left.has(name)));
}
