/** What really came to the sink: each of the numbers below `count`, exactly once. */
export class Tally {
  readonly #seen: Uint8Array;
  #arrived = 0;

  constructor(count: number) {
    this.#seen = new Uint8Array(count);
  }

  see(number: number): void {
    this.#arrived++;
    (this.#seen[number] as number)++;
  }

  /** @throws if anything is missing, came twice, or was never sent */
  check(who: string): void {
    const wrong = this.#seen.findIndex((times) => times !== 1);
    if (wrong >= 0) throw new Error(`${who}: message ${wrong} came ${this.#seen[wrong]} times`);
    if (this.#arrived !== this.#seen.length) {
      throw new Error(`${who}: ${this.#arrived} came of ${this.#seen.length}`);
    }
  }
}
