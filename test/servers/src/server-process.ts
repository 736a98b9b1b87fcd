import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { atExit } from "./at-exit.ts";

/** How long a server may take to stop by itself, in milliseconds. */
const GRACE = 30_000;

/** How much of its log an error shows. */
const LAST_LINES = 30;

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** Where its output goes; appended to. */
  readonly log: string;
  readonly cwd?: string;
  /** The system's user to run as; we have to be root. */
  readonly user?: string | undefined;
}

/** A server's process. It does not outlive ours, however ours ends. */
export class ServerProcess {
  readonly #exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #launch: Launch;

  constructor(launch: Launch) {
    this.#launch = launch;
    const log = openSync(launch.log, "a");
    const [command, ...args] = [...guard(launch.user), launch.command, ...launch.args];
    this.#child = spawn(command!, args, { stdio: ["ignore", log, log], cwd: launch.cwd });
    closeSync(log);

    const forget = atExit(() => this.signal("SIGKILL"));
    this.#exited = new Promise((resolve) => {
      const end = (): void => {
        forget();
        resolve();
      };
      this.#child.once("exit", end);
      this.#child.once("error", end);
    });
    // A server keeps nobody from ending.
    this.#child.unref();
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get isRunning(): boolean {
    return (
      this.#child.pid !== undefined &&
      this.#child.exitCode === null &&
      this.#child.signalCode === null
    );
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) process.kill(this.pid, signal);
  }

  /** Ends it at once, paused or not. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.#end();
  }

  /** Asks it to end by `signal`; kills it if that takes too long. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    this.signal("SIGCONT");
    this.signal(signal);
    const timer = setTimeout(() => this.signal("SIGKILL"), GRACE);
    await this.#end();
    clearTimeout(timer);
  }

  async #end(): Promise<void> {
    this.#child.ref();
    await this.#exited;
  }

  /** Waits until `condition` holds; rejects with the end of the log when the process ends before. */
  async ready(condition: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const gone = new AbortController();
    const end = this.#exited.then(() => gone.abort(new Error("the server has ended")));
    try {
      await Promise.race([condition(gone.signal), end.then(() => gone.signal.throwIfAborted())]);
    } catch (cause) {
      await this.kill();
      throw new Error(`${this.#launch.command} did not start:\n${this.#lastLines()}`, { cause });
    }
  }

  #lastLines(): string {
    return readFileSync(this.#launch.log, "utf8")
      .trimEnd()
      .split("\n")
      .slice(-LAST_LINES)
      .join("\n");
  }
}

let canFollow: boolean | undefined;

/** Put before a command: runs it as another user, and has the kernel end it with our process. */
export function guard(user: string | undefined): string[] {
  canFollow ??= spawnSync("setpriv", ["--pdeathsig", "KILL", "true"]).status === 0;
  const follow = canFollow ? ["--pdeathsig", "KILL"] : [];
  const as = user === undefined ? [] : ["--reuid", user, "--regid", user, "--clear-groups"];
  return follow.length + as.length === 0 ? [] : ["setpriv", ...as, ...follow, "--"];
}
