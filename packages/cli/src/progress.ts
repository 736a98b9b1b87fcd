import type { PipelineStats } from "westend";
import { settledOf } from "./look.ts";
import { count } from "./wording.ts";

/** Milliseconds without an end that are nothing to speak of. */
const FIRST = 10_000;

/** Milliseconds until it is said again. */
const AGAIN = 60_000;

interface Busy {
  readonly running: number;
  readonly concurrency: number;
  readonly waiting: number;
}

/** Knows how long something has been going on, and when it is time to say so: after ten seconds, then once a minute. */
export class Progress {
  #since: number;
  #due: number;
  #ended = 0;

  constructor(now: number) {
    this.#since = now;
    this.#due = now + FIRST;
  }

  /** Milliseconds since the beginning or the last `moved`, if it is time to say so. */
  standing(now: number): number | undefined {
    if (now < this.#due) return undefined;
    this.#due = now + AGAIN;
    return now - this.#since;
  }

  /** The same since a message has ended last; what has nothing in flight does not stand still, nor does what only fills batches. */
  standingOf(stats: PipelineStats, now: number): number | undefined {
    const ended = settledOf(stats) + stats.released + stats.abandoned;
    if (ended !== this.#ended || stats.inFlight === 0 || isCollecting(stats)) {
      this.#ended = ended;
      this.#since = now;
      this.#due = now + FIRST;
    }
    return this.standing(now);
  }
}

/** Whether everything in flight is in batches that are still filling: those wait for more, as they are meant to, and not for ever. */
function isCollecting({
  inFlight,
  processor,
  batchers,
  deadLettersPending,
}: PipelineStats): boolean {
  const { running, ready, blocked, waiting } = processor;
  const all = Object.values(batchers);
  const elsewhere = all.reduce(
    (sum, batcher) => sum + batcher.running + batcher.queued + batcher.waiting,
    running + ready + blocked + waiting + deadLettersPending,
  );
  const collected = all.reduce((sum, { open }) => sum + open, 0);
  return elsewhere === 0 && collected >= inFlight;
}

/** Where everything is that is in flight, stage by stage: `processor 10/10 busy, 90 ready; batcher db 1/1 busy`. */
export function whereabouts({
  processor,
  batchers,
  producers,
  deadLettersPending,
}: PipelineStats): string {
  const { ready, blocked } = processor;
  const stages = [
    stage("processor", processor, [ready, "ready"], [blocked, "behind others of their key"]),
    ...Object.entries(batchers).map(([name, batcher]) =>
      stage(`batcher ${name}`, batcher, [batcher.open, "collected"], [batcher.queued, "queued"]),
    ),
    stage("dead letters", undefined, [deadLettersPending, "to be written"]),
    ...Object.entries(producers).map(([name, { unacknowledged }]) =>
      stage(`source ${name}`, undefined, [unacknowledged, "to be acknowledged"]),
    ),
  ];
  const words = stages.filter((each) => each !== undefined).join("; ");
  // What no stage counts.
  return words === "" ? "a decoder, prepare or onFailed" : words;
}

/** Undefined where nothing is. */
function stage(
  name: string,
  busy: Busy | undefined,
  ...held: readonly (readonly [messages: number, what: string])[]
): string | undefined {
  const all = busy === undefined ? held : [...held, [busy.waiting, "to be tried again"] as const];
  const parts = all
    .filter(([messages]) => messages > 0)
    .map(([messages, what]) => `${count(messages)} ${what}`);
  if (busy !== undefined && busy.running > 0) {
    parts.unshift(`${count(busy.running)}/${count(busy.concurrency)} busy`);
  }
  return parts.length === 0 ? undefined : `${name} ${parts.join(", ")}`;
}
