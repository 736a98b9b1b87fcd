import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";
import type { MemberOptions, Notice, Order } from "./protocol.ts";

const SCRIPT = fileURLToPath(new URL("member.ts", import.meta.url));

/** A process of its own that hosts members. It ends with ours. */
export class Host {
  readonly notices: Notice[] = [];
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;
  #killed = false;

  constructor() {
    const execArgv = ["--conditions=@westend/source", "--disable-warning=ExperimentalWarning"];
    this.#child = fork(SCRIPT, { execArgv, stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#child.on("message", (notice: Notice) => this.notices.push(notice));
    this.#gone = once(this.#child, "exit");
  }

  /** It has ended, and nobody killed it. */
  get hasDied(): boolean {
    return !this.#killed && (this.#child.exitCode !== null || this.#child.signalCode !== null);
  }

  /** Resolves when it is a member. */
  async join(options: MemberOptions): Promise<void> {
    this.#order({ join: options });
    await until(`${options.name} has joined`, () => {
      if (this.hasDied) throw new Error("its process has ended");
      return this.said(options.name, "joined", "refused").length > 0;
    });
    const [refused] = this.said(options.name, "refused");
    if (refused !== undefined) throw new Error(`${options.name} did not join: ${refused.text}`);
  }

  /** Resolves when it has drained and left. */
  async leave(member: string): Promise<void> {
    this.#order({ leave: member });
    await until(`${member} has left`, () => this.said(member, "left", "died").length > 0);
  }

  said(member: string, ...what: Notice["what"][]): Notice[] {
    return this.notices.filter((one) => one.member === member && what.includes(one.what));
  }

  /** Those events of a connector whose name this is. */
  events(name: string): Notice[] {
    return this.notices.filter(({ what, text }) => what === "event" && text.split(" ")[0] === name);
  }

  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  async kill(): Promise<void> {
    this.#killed = true;
    this.#child.kill("SIGKILL");
    await this.#gone;
  }

  #order(order: Order): void {
    this.#child.send(order);
  }
}
