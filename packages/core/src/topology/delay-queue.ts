import type { Clock } from "../clock.ts";
import { Alarm } from "./alarm.ts";

/** Milliseconds: Node's timers may come a fraction of one early. */
const EARLY = 0.999;

interface Entry<Item> {
  readonly due: number;
  readonly item: Item;
}

/** Items that wait for a moment, on one timer for all of them. */
export class DelayQueue<Item> {
  readonly #clock: Clock;
  readonly #wake: (item: Item) => void;
  /** The earliest first; of the same moment, the one that came first. */
  #entries: Entry<Item>[] = [];
  readonly #alarm: Alarm;

  constructor(clock: Clock, wake: (item: Item) => void) {
    this.#clock = clock;
    this.#wake = wake;
    this.#alarm = new Alarm(clock, () => this.#fire());
  }

  get length(): number {
    return this.#entries.length;
  }

  add(item: Item, milliseconds: number): void {
    const due = this.#clock.now() + milliseconds;
    const place = this.#placeFor(due);
    this.#entries.splice(place, 0, { due, item });
    if (place === 0) this.#arm();
  }

  /** Takes out everything that waits, in order of its moment. */
  clear(): Item[] {
    return this.remove(() => true);
  }

  /** Takes out what need not wait any longer; the rest keeps its moment. */
  remove(done: (item: Item) => boolean): Item[] {
    const kept: Entry<Item>[] = [];
    const removed: Item[] = [];
    for (const entry of this.#entries) {
      if (done(entry.item)) removed.push(entry.item);
      else kept.push(entry);
    }
    this.#entries = kept;
    this.#arm();
    return removed;
  }

  #arm(): void {
    const [first] = this.#entries;
    if (first === undefined) this.#alarm.clear();
    else this.#alarm.set(first.due - this.#clock.now());
  }

  #fire(): void {
    const due = this.#placeFor(this.#clock.now() + EARLY);
    const woken = this.#entries.splice(0, due);
    this.#arm();
    for (const { item } of woken) this.#wake(item);
  }

  /** Behind everything that is due no later: by halves, as thousands may wait. */
  #placeFor(moment: number): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle] as Entry<Item>).due <= moment) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
