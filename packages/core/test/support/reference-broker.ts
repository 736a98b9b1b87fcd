import type { Clock, Producer, ProducerContext, ProducerSession } from "westend";
import type { ProducerFeatures, ProducerHarness } from "westend/testing";
import type { Flaw } from "./flaws.ts";
import { type Entry, type ReferenceMetadata, ReferenceSession } from "./reference-session.ts";

/** Everything a source can promise. */
export const referenceFeatures: ProducerFeatures = {
  order: true,
  live: true,
  finite: true,
  redelivery: true,
  release: true,
  attempts: true,
  sizes: true,
  key: true,
  sessions: true,
  lease: true,
  failed: "again",
  refusal: true,
  recovery: true,
  reopen: true,
};

export interface ReferenceBrokerOptions {
  readonly clock: Clock;
  readonly flaw?: Flaw | undefined;
  readonly failed?: "again" | "gone" | undefined;
}

/** A broker in memory with leases and long polls, right in everything but for the flaw it is told to have. */
export class ReferenceBroker
  implements Producer<string, ReferenceMetadata>, ProducerHarness<string, ReferenceMetadata>
{
  readonly name: string = "reference";
  readonly producer: this = this;
  readonly clock: Clock;
  readonly #flaw: Flaw | undefined;
  readonly #failed: "again" | "gone";
  readonly #runs = new Set<AbortSignal>();
  readonly #all: Entry[] = [];
  entries: Entry[] = [];
  finished = false;
  broken = false;
  refusing = new Set<string>();
  handle: NodeJS.Timeout | undefined;
  #sessions = 0;
  #changed: (() => void)[] = [];

  constructor({ clock, flaw, failed = "again" }: ReferenceBrokerOptions) {
    this.clock = clock;
    this.#flaw = flaw;
    this.#failed = failed;
  }

  has(flaw: Flaw): boolean {
    return this.#flaw === flaw;
  }

  get failedAgain(): boolean {
    const again = this.#failed === "again";
    return this.has("keeps failed messages") || this.has("takes failed for done") ? !again : again;
  }

  send(values: readonly string[], { key }: { readonly key?: string | undefined } = {}): void {
    for (const payload of values) {
      const entry: Entry = {
        payload,
        metadata: { offset: this.#all.length },
        key: this.has("loses keys") ? undefined : key,
        size: payload.length,
        attempt: 0,
        holder: undefined,
        until: 0,
        from: 0,
        index: undefined,
      };
      this.#all.push(entry);
      this.entries.push(entry);
    }
    if (!this.has("misses what is sent")) this.change();
  }

  counts(): { waiting: number; taken: number } {
    const taken = this.entries.filter(({ holder }) => holder !== undefined).length;
    return { waiting: this.entries.length - taken, taken };
  }

  finish(): void {
    this.finished = true;
    if (!this.has("misses the end")) this.change();
  }

  break(): void {
    this.broken = true;
    this.change();
  }

  refuse(values: readonly string[]): void {
    this.refusing = new Set(values);
  }

  expire(): void {
    for (const entry of this.entries) entry.from = 0;
    this.change();
  }

  close(): void {
    clearInterval(this.handle);
  }

  open(context: ProducerContext): ProducerSession<string, ReferenceMetadata> {
    if (this.has("begins anew in each run") && !this.#runs.has(context.signal)) {
      this.entries = this.#all.map((entry) => ({ ...entry, holder: undefined }));
    }
    this.#runs.add(context.signal);
    if (this.has("keeps a timer")) this.clock.setTimer(() => {}, 1000);
    if (this.has("keeps a handle")) this.handle = setInterval(() => {}, 1000);
    return new ReferenceSession(this, this.#sessions++, context.index);
  }

  /** Resolves when there may be something new. */
  changing(): Promise<void> {
    return new Promise((resolve) => this.#changed.push(resolve));
  }

  change(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}
