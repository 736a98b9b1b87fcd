import type { PartitionKey } from "../message.ts";
import { Ring } from "./ring.ts";

/** What can be scheduled; `next` is the scheduler's. */
export interface Schedulable<Item> {
  readonly key: PartitionKey | undefined;
  next: Item | undefined;
}

/** Which item runs next: in order of arrival, and of one key only one at a time, over retries. */
export class Scheduler<Item extends Schedulable<Item>> {
  readonly #ready = new Ring<Item>();
  /** The last item of each key that is ready, running or waiting; the ones before it are linked by `next`. */
  readonly #last = new Map<PartitionKey, Item>();
  #blocked = 0;

  /** Items that can run now. */
  get ready(): number {
    return this.#ready.length;
  }

  /** Items behind another of their key. */
  get blocked(): number {
    return this.#blocked;
  }

  /** Keys that are in use; an unused key leaves nothing behind. */
  get keys(): number {
    return this.#last.size;
  }

  push(item: Item): void {
    const { key } = item;
    if (key === undefined) {
      this.#ready.push(item);
      return;
    }
    const last = this.#last.get(key);
    this.#last.set(key, item);
    if (last === undefined) {
      this.#ready.push(item);
      return;
    }
    last.next = item;
    this.#blocked++;
  }

  /** The next item to run; its key is taken until `done`. */
  next(): Item | undefined {
    return this.#ready.shift();
  }

  /** Runs an item again that still holds its key. */
  again(item: Item): void {
    this.#ready.push(item);
  }

  /** The item no longer holds its key; the next of the key becomes ready. */
  done(item: Item): void {
    const { key } = item;
    if (key === undefined) return;
    const { next } = item;
    if (next === undefined) {
      // One that is done already must not free the key of another.
      if (this.#last.get(key) === item) this.#last.delete(key);
      return;
    }
    item.next = undefined;
    this.#blocked--;
    this.#ready.push(next);
  }
}
