import type { Effect } from "./protocol.ts";

/** What a process can see itself: that a key has one handler at a time, and its messages in order, while a partition is its own. */
export class Ownership {
  readonly #member: string;
  readonly #violated: (text: string) => void;
  /** How often each partition was given to us. */
  readonly #epochs = new Map<number, number>();
  readonly #running = new Set<string>();
  /** The last place begun, by owner and key. */
  readonly #last = new Map<string, number>();

  constructor(member: string, violated: (text: string) => void) {
    this.#member = member;
    this.#violated = violated;
  }

  assigned(partition: number): void {
    this.#epochs.set(partition, (this.#epochs.get(partition) ?? 0) + 1);
  }

  /** A handler begins; gives whose effect it will be. */
  begin(partition: number, place: number, key: string): Effect["owner"] {
    const epoch = this.#epochs.get(partition) ?? 0;
    const owner = `${this.#member}#${epoch}`;
    const lane = `${owner} ${partition} ${key}`;
    if (epoch === 0) this.#violated(`${lane}: ${place} is handled, but was never given to us`);
    if (this.#running.has(lane)) this.#violated(`${lane}: ${place} begins beside another`);
    const last = this.#last.get(lane) ?? -1;
    if (place <= last) this.#violated(`${lane}: ${place} begins after ${last}`);
    this.#last.set(lane, place);
    this.#running.add(lane);
    return owner;
  }

  end(owner: string, partition: number, key: string): void {
    this.#running.delete(`${owner} ${partition} ${key}`);
  }
}
