import { accountText } from "./account.ts";
import type { Bars } from "./bars.ts";
import { errorText } from "./describe-error.ts";
import type { Look } from "./look.ts";
import type { Paint } from "./paint.ts";
import type { Account, Reporter } from "./reporter.ts";
import { summaryLine } from "./summary.ts";
import type { Trouble } from "./trouble-tally.ts";
import { count, duration } from "./wording.ts";

/** Milliseconds from which on it is said how long something has gone wrong. */
const LASTING = 10_000;

export interface TextReporterOptions {
  /** For the account. */
  readonly out: { readonly stream: NodeJS.WritableStream; readonly paint: Paint };
  /** For everything else. */
  readonly err: { readonly stream: NodeJS.WritableStream; readonly paint: Paint };
  /** Where bars can be drawn. */
  readonly bars: Bars | undefined;
  readonly quiet: boolean;
  /** Stacks, too. */
  readonly verbose: boolean;
}

/** For people: lines and bars to one stream, the account to the other. */
export class TextReporter implements Reporter {
  readonly #options: TextReporterOptions;

  constructor(options: TextReporterOptions) {
    this.#options = options;
  }

  started(pipeline: string): void {
    this.#say(this.#options.err.paint.dim(`started ${pipeline}`));
  }

  tick(looks: readonly Look[], trouble: Trouble | undefined): void {
    const { bars, err, quiet } = this.#options;
    if (quiet) return;
    if (trouble !== undefined) {
      const { pipeline, count: times, what, error, first, last } = trouble;
      const since = last - first < LASTING ? "" : ` (for ${duration(last - first)})`;
      this.#warn(`${pipeline}  ${count(times)} × ${what}: ${error}${since}`);
    }
    const width = Math.max(...looks.map(({ pipeline }) => pipeline.length));
    for (const look of looks) {
      if (bars?.show(look) === true || look.ending !== "running") continue;
      this.#say(`${err.paint.bold(look.pipeline.padEnd(width))}  ${summaryLine(look)}`);
    }
  }

  standing(pipeline: string, milliseconds: number, where: string): void {
    const since = duration(milliseconds);
    this.#warn(`${pipeline}  nothing has ended for ${since}; in flight: ${where}`);
  }

  opening(pipeline: string, milliseconds: number): void {
    this.#warn(
      `${pipeline}  has been starting for ${duration(milliseconds)}: a source or its dead-letter sink is not open yet`,
    );
  }

  asked(signal: NodeJS.Signals): void {
    this.#say(`${signal}: draining; a second signal gives up at once`);
  }

  draining(pipeline: string, deadline: number, inFlight: number): void {
    this.#say(`${pipeline}  drains ${count(inFlight)} in flight, within ${duration(deadline)}`);
  }

  died(pipeline: string | undefined, error: unknown): void {
    const { err, verbose } = this.#options;
    const who = pipeline === undefined ? "uncaught error" : `${pipeline} died`;
    this.#print(`${err.paint.red(`westend: ${who}:`)} ${errorText(error, verbose)}`);
  }

  ended(accounts: readonly Account[]): void {
    const { bars, out } = this.#options;
    if (bars?.visible === true) for (const { look } of accounts) bars.show(look);
    bars?.stop();
    const texts = accounts.map(({ look, troubles }) => accountText(look, troubles, out.paint));
    if (texts.length > 0) out.stream.write(`${texts.join("\n\n")}\n`);
  }

  #warn(line: string): void {
    this.#say(this.#options.err.paint.yellow(line));
  }

  #say(line: string): void {
    if (!this.#options.quiet) this.#print(line);
  }

  #print(text: string): void {
    const { bars, err } = this.#options;
    if (bars?.visible !== true) err.stream.write(`${text}\n`);
    else for (const line of text.split("\n")) bars.log(line);
  }
}
