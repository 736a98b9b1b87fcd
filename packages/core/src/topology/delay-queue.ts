import type { Clock } from "../clock.ts";
import { Alarm } from "./alarm.ts";

interface Entry<Item> {
  readonly due: number;
  readonly order: number;
  readonly item: Item;
}

/** Items that wait for a moment, on one timer for all of them. */
export class DelayQueue<Item> {
  readonly #clock: Clock;
  readonly #wake: (item: Item) => void;
  /** A binary heap, the earliest first; of the same moment, the one that came first. */
  readonly #heap: Entry<Item>[] = [];
  readonly #alarm: Alarm;
  #order = 0;

  constructor(clock: Clock, wake: (item: Item) => void) {
    this.#clock = clock;
    this.#wake = wake;
    this.#alarm = new Alarm(clock, () => this.#fire());
  }

  get length(): number {
    return this.#heap.length;
  }

  add(item: Item, milliseconds: number): void {
    const entry = { due: this.#clock.now() + milliseconds, order: this.#order++, item };
    this.#insert(entry);
    if (this.#heap[0] === entry) this.#arm();
  }

  /** Takes out everything that waits, in order of its moment. */
  clear(): Item[] {
    return this.remove(() => true);
  }

  /** Takes out what need not wait any longer; the rest keeps its moment. */
  remove(done: (item: Item) => boolean): Item[] {
    const removed: Item[] = [];
    for (const entry of this.#heap.splice(0).sort(earlier)) {
      if (done(entry.item)) removed.push(entry.item);
      // What is in order is a heap.
      else this.#heap.push(entry);
    }
    this.#arm();
    return removed;
  }

  #arm(): void {
    const [first] = this.#heap;
    if (first === undefined) this.#alarm.clear();
    else this.#alarm.set(first.due - this.#clock.now());
  }

  #fire(): void {
    // Node's timers may come a fraction of a millisecond early.
    const now = this.#clock.now() + 1;
    const due: Item[] = [];
    for (let first = this.#heap[0]; first !== undefined && first.due < now; first = this.#heap[0]) {
      due.push(first.item);
      this.#remove();
    }
    this.#arm();
    for (const item of due) this.#wake(item);
  }

  #insert(entry: Entry<Item>): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Entry<Item>;
      if (earlier(above, entry) <= 0) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #remove(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry<Item>;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && earlier(right, heap[child] as Entry<Item>) < 0) child++;
      const below = heap[child] as Entry<Item>;
      if (earlier(last, below) <= 0) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}

function earlier(a: Entry<unknown>, b: Entry<unknown>): number {
  return a.due - b.due || a.order - b.order;
}
