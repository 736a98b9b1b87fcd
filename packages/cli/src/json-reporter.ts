import { causesOf, describeError } from "./describe-error.ts";
import { batchingOf, type Look, remainingOf, settledOf } from "./look.ts";
import type { Account, Reporter } from "./reporter.ts";
import type { Trouble } from "./trouble-tally.ts";

/** Writes one JSON object a line; `type` says what it is. */
export class JsonReporter implements Reporter {
  readonly #out: NodeJS.WritableStream;
  readonly #quiet: boolean;

  constructor(out: NodeJS.WritableStream, quiet: boolean) {
    this.#out = out;
    this.#quiet = quiet;
  }

  started(pipeline: string): void {
    if (!this.#quiet) this.#write("started", { pipeline });
  }

  tick(looks: readonly Look[], trouble: Trouble | undefined): void {
    if (this.#quiet) return;
    if (trouble !== undefined) {
      this.#write("failure", { pipeline: trouble.pipeline, ...failureOf(trouble) });
    }
    for (const look of looks) {
      if (look.ending === "running") this.#write("summary", numbersOf(look));
    }
  }

  standing(pipeline: string, milliseconds: number, where: string): void {
    if (this.#quiet) return;
    this.#write("standing", { pipeline, milliseconds: Math.round(milliseconds), where });
  }

  opening(pipeline: string, milliseconds: number): void {
    if (this.#quiet) return;
    this.#write("opening", { pipeline, milliseconds: Math.round(milliseconds) });
  }

  asked(signal: NodeJS.Signals): void {
    if (!this.#quiet) this.#write("signal", { signal });
  }

  draining(pipeline: string, deadline: number, inFlight: number): void {
    if (!this.#quiet) this.#write("draining", { pipeline, deadline, inFlight });
  }

  died(pipeline: string | undefined, error: unknown): void {
    const errors = causesOf(error).map(describeError);
    this.#write("died", { pipeline, errors });
  }

  ended(accounts: readonly Account[]): void {
    for (const { look, troubles } of accounts) {
      const failures = troubles.map(failureOf);
      this.#write("account", { ...numbersOf(look), ending: look.ending, failures });
    }
  }

  #write(type: string, fields: object): void {
    this.#out.write(`${JSON.stringify({ type, time: new Date().toISOString(), ...fields })}\n`);
  }
}

function failureOf({ what, error, count, first, last }: Trouble): object {
  const [since, until] = [first, last].map((time) => new Date(time).toISOString());
  return { what, error, count, first: since, last: until };
}

function numbersOf(look: Look): object {
  const { pipeline, elapsed, stats } = look;
  const { status, received, succeeded, failed, deadLettered, dropped, released, abandoned } = stats;
  return {
    pipeline,
    status,
    elapsed: Math.round(elapsed),
    received,
    succeeded,
    failed,
    deadLettered,
    dropped,
    released,
    abandoned,
    inFlight: stats.inFlight,
    maxInFlight: stats.maxInFlight,
    rate: stats.rate,
    throughput: elapsed > 0 ? (settledOf(stats) * 1000) / elapsed : 0,
    latency: stats.latency,
    retries: stats.processor.retries,
    batching: batchingOf(stats),
    remaining: remainingOf(stats),
  };
}
