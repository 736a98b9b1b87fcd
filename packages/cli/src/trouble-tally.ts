import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { TelemetryEvents, TelemetryName } from "westend";
import { errorSummary } from "./describe-error.ts";

/** Distinct errors that are kept apart; an error text that never repeats must not fill the memory. */
const DISTINCT = 100;

/** One kind of error, and how often it has come up. */
export interface Trouble {
  readonly pipeline: string;
  /** What went wrong, in few words. */
  readonly what: string;
  /** `name [code]: message` */
  readonly error: string;
  readonly count: number;
  /** When it came up for the first time and for the last, in milliseconds since the Unix epoch. */
  readonly first: number;
  readonly last: number;
}

interface Entry {
  trouble: Trouble;
  /** The count when it was last given. */
  shown: number;
}

type Describers = {
  readonly [Name in TelemetryName]?: (event: TelemetryEvents[Name]) => string;
};

const WHAT: Describers = {
  "westend:message:failed": ({ batcher, action }) =>
    `${batcher === undefined ? "processor" : `batcher ${batcher}`} failed, ${OUTCOME[action]}`,
  "westend:producer:error": ({ source }) => `source ${source}`,
  "westend:stage:restarting": ({ stage }) => `${stage} crashed and starts again`,
  "westend:acknowledge:refused": ({ source }) => `source ${source} refused acknowledgements`,
  "westend:dead-letter:refused": () => "dead letters could not be written",
  "westend:failure:ignored": () => "onFailed threw",
};

const OUTCOME = {
  retry: "will retry",
  hold: "holds and retries",
  fail: "handed back as failed",
  deadLetter: "goes to the dead letters",
  bisect: "is halved",
  drop: "dropped",
  stop: "stops the pipeline",
} satisfies Record<TelemetryEvents["westend:message:failed"]["action"], string>;

const REFUSALS: ReadonlySet<string> = new Set<TelemetryName>([
  "westend:acknowledge:refused",
  "westend:dead-letter:refused",
]);

/** Westend's own words tell how many messages there were and when they are tried again: no two are alike. Why, the cause says. */
function refusalOf(error: unknown): unknown {
  return error instanceof Error ? (error.cause ?? error) : error;
}

/** Counts what goes wrong in all pipelines of the process, by error. */
export class TroubleTally {
  readonly #now: () => number;
  readonly #troubles = new Map<string, Entry>();
  readonly #listeners: [string, (event: unknown) => void][] = [];

  /** @param now milliseconds since the Unix epoch */
  constructor(now: () => number = () => performance.timeOrigin + performance.now()) {
    this.#now = now;
    for (const [name, what] of Object.entries(WHAT)) {
      const listener = (event: unknown): void => {
        const { pipeline, error } = event as { pipeline: string; error: unknown };
        this.#add(pipeline, what(event as never), REFUSALS.has(name) ? refusalOf(error) : error);
      };
      subscribe(name, listener);
      this.#listeners.push([name, listener]);
    }
  }

  /** The kind of trouble that has grown most since it was last given, if any has. */
  next(): Trouble | undefined {
    const grown = ({ trouble, shown }: Entry): number => trouble.count - shown;
    let most: Entry | undefined;
    for (const entry of this.#troubles.values()) {
      if (grown(entry) > (most === undefined ? 0 : grown(most))) most = entry;
    }
    if (most === undefined) return undefined;
    most.shown = most.trouble.count;
    return most.trouble;
  }

  /** All kinds of trouble of a pipeline, the most frequent first. */
  of(pipeline: string): readonly Trouble[] {
    return [...this.#troubles.values()]
      .map(({ trouble }) => trouble)
      .filter((trouble) => trouble.pipeline === pipeline)
      .sort((a, b) => b.count - a.count);
  }

  close(): void {
    for (const [name, listener] of this.#listeners) unsubscribe(name, listener);
  }

  #add(pipeline: string, what: string, reason: unknown): void {
    let error = errorSummary(reason);
    let key = `${pipeline}\n${what}\n${error}`;
    if (!this.#troubles.has(key) && this.#troubles.size >= DISTINCT) {
      error = "other errors";
      key = `${pipeline}\n${what}\n${error}`;
    }
    const last = this.#now();
    const entry = this.#troubles.get(key);
    if (entry !== undefined) {
      entry.trouble = { ...entry.trouble, count: entry.trouble.count + 1, last };
      return;
    }
    const trouble = { pipeline, what, error, count: 1, first: last, last };
    this.#troubles.set(key, { trouble, shown: 0 });
  }
}
