import type { PartitionKey } from "../message.ts";

/** Something that holds keys; `blockers` counts those of its keys that something earlier still holds. */
export interface Holder {
  readonly keys: ReadonlySet<PartitionKey>;
  blockers: number;
}

/** Keeps apart, and in order, what shares a key: each waits until it is the first on every one of its keys. */
export class PartitionOrder<Item extends Holder> {
  /** Of each key that is held: who holds it, and who waits for it, in order. */
  readonly #queues = new Map<PartitionKey, Item[]>();

  /** Keys that are held; an unused key leaves nothing behind. */
  get keys(): number {
    return this.#queues.size;
  }

  /** Everything that holds a key, or waits for one. */
  items(): ReadonlySet<Item> {
    return new Set([...this.#queues.values()].flat());
  }

  /** True if the item is the first on all of its keys. */
  enter(item: Item): boolean {
    for (const key of item.keys) {
      const queue = this.#queues.get(key);
      if (queue === undefined) {
        this.#queues.set(key, [item]);
        continue;
      }
      queue.push(item);
      item.blockers++;
    }
    return item.blockers === 0;
  }

  /**
   * The item, first on all of its keys, makes room for its parts, in this order; keys that no part holds are free.
   * Gives back what has become first on all of its keys.
   */
  replace(item: Item, parts: readonly Item[]): Item[] {
    const ready: Item[] = parts.filter((part) => part.keys.size === 0);
    for (const key of item.keys) {
      const queue = this.#queues.get(key) as Item[];
      const holders = parts.filter((part) => part.keys.has(key));
      queue.splice(0, 1, ...holders);
      for (const holder of holders) holder.blockers++;
    }
    // Counted only now: a part is ready once it is the first on the last of its keys.
    for (const key of item.keys) this.#unblock(key, ready);
    return ready;
  }

  #unblock(key: PartitionKey, ready: Item[]): void {
    const first = this.#queues.get(key)?.[0];
    if (first === undefined) {
      this.#queues.delete(key);
      return;
    }
    if (--first.blockers === 0) ready.push(first);
  }
}
