import type { PartitionKey } from "../message.ts";
import { Ring } from "./ring.ts";

/** What can be scheduled. */
export interface Schedulable<Item> {
  readonly key: PartitionKey | undefined;
  /** The scheduler's: the next item of the same key; null if it holds no key. */
  next: Item | undefined | null;
}

/** Which item runs next: in order of arrival, and of one key only one at a time, over retries. */
export class Scheduler<Item extends Schedulable<Item>> {
  readonly #queue = new Ring<Item | readonly (Item | undefined)[]>();
  /** What came without keys at once and is being handed out; not queued one by one, for that costs. */
  #chunk: readonly (Item | undefined)[] = [];
  #position = 0;
  /** The last item of each key that is ready, running or waiting; the ones before it are linked by `next`. */
  readonly #last = new Map<PartitionKey, Item>();
  #blocked = 0;
  /** Items that can run now. */
  ready: number = 0;

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
      this.again(item);
      return;
    }
    const last = this.#last.get(key);
    this.#last.set(key, item);
    item.next = undefined;
    if (last === undefined) {
      this.again(item);
      return;
    }
    last.next = item;
    this.#blocked++;
  }

  /** None of these has a key. What is gone when its turn comes has left a gap. */
  pushAll(items: readonly (Item | undefined)[]): void {
    this.#queue.push(items);
    this.ready += items.length;
  }

  /** The next item to run; its key is taken until `done`. */
  next(): Item | undefined {
    for (;;) {
      while (this.#position < this.#chunk.length) {
        const item = this.#chunk[this.#position++];
        this.ready--;
        if (item !== undefined) return item;
      }
      const first = this.#queue.shift();
      if (!isChunk(first)) {
        if (first !== undefined) this.ready--;
        return first;
      }
      this.#chunk = first;
      this.#position = 0;
    }
  }

  /** Runs an item again that still holds its key. */
  again(item: Item): void {
    this.#queue.push(item);
    this.ready++;
  }

  /** The item no longer holds its key; the next of the key becomes ready. */
  done(item: Item): void {
    const { key, next } = item;
    // One without a key, or one that has given it up already.
    if (next === null || key === undefined) return;
    item.next = null;
    if (next === undefined) {
      this.#last.delete(key);
      return;
    }
    this.#blocked--;
    this.again(next);
  }
}

function isChunk<Item>(
  entry: Item | readonly (Item | undefined)[] | undefined,
): entry is readonly (Item | undefined)[] {
  return Array.isArray(entry);
}
