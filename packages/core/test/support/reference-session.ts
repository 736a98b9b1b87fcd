import type {
  AcknowledgeResult,
  Demand,
  Incoming,
  ProducerSession,
  Settled,
  SettledMessage,
} from "westend";
import type { ReferenceBroker } from "./reference-broker.ts";

const LEASE = 30_000;

export interface ReferenceMetadata {
  readonly offset: number;
}

export interface Entry extends Incoming<string, ReferenceMetadata> {
  attempt: number;
  /** Who has it, and until when. */
  holder: number | undefined;
  until: number;
  /** From when on it may be given. */
  from: number;
  index: number | undefined;
}

/** What the broker has opened: right in everything but for its flaw. */
export class ReferenceSession implements ProducerSession<string, ReferenceMetadata> {
  readonly lease: number = LEASE;
  readonly #broker: ReferenceBroker;
  readonly #id: number;
  readonly #index: number;
  readonly #seen = new Set<Entry>();
  #drained = false;
  #acknowledging = false;
  #ended = false;

  constructor(broker: ReferenceBroker, id: number, index: number) {
    this.#broker = broker;
    this.#id = id;
    this.#index = index;
  }

  async pull(demand: Demand, signal: AbortSignal): Promise<Entry[] | null> {
    const broker = this.#broker;
    let stop = (): void => {};
    const aborted = new Promise<void>((resolve) => {
      stop = resolve;
    });
    signal.addEventListener("abort", stop, { once: true });
    try {
      for (;;) {
        if (broker.broken) this.#fail();
        const taken = this.#take(demand);
        if (taken.length > 0) return taken;
        if (this.#isEnd()) return null;
        if (demand.bytes < 10 && broker.has("gives nothing rather than too many bytes")) return [];
        const changing = broker.changing();
        await (broker.has("ignores the abort") ? changing : Promise.race([changing, aborted]));
        if (!signal.aborted) continue;
        if (broker.has("drops what comes while aborting")) this.#lose(this.#take(demand));
        return [];
      }
    } finally {
      if (!broker.has("keeps listeners")) signal.removeEventListener("abort", stop);
    }
  }

  async acknowledge({
    succeeded,
    failed,
  }: Settled<ReferenceMetadata>): Promise<AcknowledgeResult<ReferenceMetadata>> {
    const broker = this.#broker;
    if (broker.has("takes one acknowledgement at a time") && this.#acknowledging) {
      throw new Error("An acknowledgement is under way.");
    }
    if (this.#drained && broker.has("acknowledges nothing once drained")) return undefined;
    this.#acknowledging = true;
    await Promise.resolve();
    this.#acknowledging = false;
    const all = [...succeeded, ...failed];
    if (broker.has("acknowledges the first of a group")) all.length = 1;
    const refused = all.filter(({ incoming }) => broker.refusing.has(incoming.payload as string));
    if (!broker.has("refuses for ever")) broker.refusing = new Set();
    for (const message of all) if (!refused.includes(message)) this.#settle(message);
    broker.change();
    if (refused.length === 0 || broker.has("refuses in silence")) return undefined;
    return { refused, reason: new Error("The broker refused.") };
  }

  release(messages: readonly Incoming<string, ReferenceMetadata>[]): void {
    if (this.#broker.has("loses what is released")) this.#lose(messages as Entry[]);
    for (const entry of messages as Entry[]) {
      entry.holder = undefined;
      if (!this.#broker.has("counts releases as attempts")) entry.attempt--;
    }
    this.#broker.change();
  }

  extend(messages: readonly Incoming<string, ReferenceMetadata>[], milliseconds: number): void {
    if (this.#broker.has("does not extend")) return;
    const until = this.#broker.clock.now() + milliseconds;
    for (const entry of messages as Entry[]) entry.until = until;
  }

  drain(): void | Promise<void> {
    const broker = this.#broker;
    this.#drained = true;
    if (broker.has("loses one on drain")) this.#lose(this.#free().slice(0, 1));
    if (broker.has("drains for long")) {
      return new Promise((resolve) => void broker.clock.setTimer(resolve, 5000));
    }
  }

  close(): void {
    const held = this.#broker.entries.filter(({ holder }) => holder === this.#id);
    if (this.#broker.has("forgets what a closed session held")) this.#lose(held);
    for (const entry of held) entry.holder = undefined;
    this.#broker.change();
  }

  #free(): Entry[] {
    const now = this.#broker.clock.now();
    return this.#broker.entries.filter((entry) => {
      const { holder, until, from, index } = entry;
      if (this.#broker.has("gives to every session")) return !this.#seen.has(entry);
      if (this.#broker.has("gives back to the same session only") && index !== undefined) {
        if (index !== this.#index) return false;
      }
      return from <= now && (holder === undefined || until <= now);
    });
  }

  #take({ messages, bytes }: Demand): Entry[] {
    const broker = this.#broker;
    const taken: Entry[] = [];
    let room = broker.has("ignores bytes") ? Infinity : bytes;
    const free = this.#free();
    if (broker.has("reverses")) free.reverse();
    const most = broker.has("gives more than is asked for") ? messages + 1 : messages;
    for (const entry of free.slice(0, most)) {
      const size = entry.payload.length;
      const fits = size <= room || taken.length === 0;
      if (!fits || (size > room && broker.has("gives nothing rather than too many bytes"))) break;
      room -= size;
      taken.push(entry);
    }
    for (const entry of taken) {
      const twice = broker.has("gives twice") && entry === taken.at(-1);
      entry.holder = twice ? undefined : this.#id;
      entry.index = this.#index;
      entry.until = broker.clock.now() + LEASE;
      entry.attempt = broker.has("counts no attempts") ? 1 : entry.attempt + 1;
      this.#seen.add(entry);
    }
    if (messages > 50 && broker.has("loses one of many")) this.#lose(taken.splice(0, 1));
    return taken;
  }

  #isEnd(): boolean {
    const { finished, entries } = this.#broker;
    if (this.#broker.has("never ends")) return false;
    if (this.#broker.has("ends when it is empty") && entries.length === 0) return true;
    if (this.#broker.has("ends again and again") && this.#ended) return false;
    const over = entries.length === 0 || this.#broker.has("ends while messages are out");
    this.#ended = finished && over;
    return this.#ended;
  }

  #settle({ incoming, outcome }: SettledMessage): void {
    const broker = this.#broker;
    if (outcome === "dropped" && broker.has("knows no drops")) return;
    const held = broker.entries.filter(({ holder }) => holder === this.#id);
    const entry = broker.has("acknowledges the oldest") ? held[0] : (incoming as Entry);
    if (entry === undefined) return;
    if (outcome === "failed" && broker.failedAgain) {
      entry.holder = undefined;
      entry.from = broker.clock.now() + 10 * LEASE;
    } else this.#lose([entry]);
  }

  #fail(): never {
    if (!this.#broker.has("fails for ever")) this.#broker.broken = false;
    if (this.#broker.has("loses what a failed pull took")) this.#lose(this.#free().slice(0, 1));
    throw new Error("The connection was reset.");
  }

  #lose(lost: readonly Entry[]): void {
    this.#broker.entries = this.#broker.entries.filter((entry) => !lost.includes(entry));
  }
}
