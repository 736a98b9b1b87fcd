/** Most messages of one transaction: what bounds how long the event loop is held. */
export const GROUP = 100;

/** Something to be done in a transaction, and who waits for it. */
export interface Work {
  readonly run: () => unknown;
  /** How many of the {@link GROUP} places of a transaction it takes. */
  readonly weight: number;
  /** Is not to wait for more. */
  readonly urgent: boolean;
  /** Gets a transaction of its own, because one that it shared has failed. */
  alone: boolean;
  /** It, or one that shared its transaction, has asked to be run again. */
  again: boolean;
  settled: boolean;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** Work that waits for its transaction, in order. */
export class PendingWork {
  #all: Work[] = [];
  #weight = 0;
  #urgent = 0;

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  /** Whether there is a reason not to wait for more. */
  get isDue(): boolean {
    return this.#urgent > 0 || this.#weight >= GROUP;
  }

  push(work: Work): void {
    this.#all.push(work);
    this.#count(work, 1);
  }

  /** Takes out what shares the next transaction. */
  take(): Work[] {
    let weight = 0;
    let count = 0;
    for (const work of this.#all) {
      const fits = weight + work.weight <= GROUP && !work.alone;
      if (count > 0 && !fits) break;
      count += 1;
      weight += work.weight;
      this.#count(work, -1);
      if (work.alone) break;
    }
    return this.#all.splice(0, count);
  }

  /** Puts back what was taken last, to be taken again first. */
  putBack(group: readonly Work[]): void {
    this.#all.unshift(...group);
    for (const work of group) this.#count(work, 1);
  }

  remove(work: Work): void {
    this.#all = this.#all.filter((other) => other !== work);
    this.#count(work, -1);
  }

  #count(work: Work, sign: 1 | -1): void {
    this.#weight += sign * work.weight;
    if (work.urgent) this.#urgent += sign;
  }
}
