/** Values that are read through iterators, each value once; an iterator goes on where another one stopped. */
export class ValueFeed {
  readonly #values: string[] = [];
  #finished = false;
  #changed: (() => void)[] = [];

  /** Values nobody has read yet. */
  get waiting(): number {
    return this.#values.length;
  }

  send(values: readonly string[]): void {
    this.#values.push(...values);
    this.#change();
  }

  finish(): void {
    this.#finished = true;
    this.#change();
  }

  /** Ends when there is nothing to read, as an iterable that cannot wait has to. */
  iterator(): Iterator<string, undefined> {
    return { next: () => this.#next() };
  }

  /** Waits for values until there will be no more. */
  asyncIterator(): AsyncIterator<string, undefined> {
    return {
      next: async () => {
        while (this.#values.length === 0 && !this.#finished) {
          await new Promise<void>((resolve) => this.#changed.push(resolve));
        }
        return this.#next();
      },
    };
  }

  #next(): IteratorResult<string, undefined> {
    const value = this.#values.shift();
    return value === undefined ? { done: true, value } : { done: false, value };
  }

  #change(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}
