/** A queue that does not move its items. */
export class Ring<Item> {
  #items: (Item | undefined)[] = Array.from({ length: 64 });
  #head = 0;
  length: number = 0;

  push(item: Item): void {
    if (this.length === this.#items.length) this.#grow();
    this.#items[(this.#head + this.length) & (this.#items.length - 1)] = item;
    this.length++;
  }

  /** Puts an item before all others. */
  unshift(item: Item): void {
    if (this.length === this.#items.length) this.#grow();
    this.#head = (this.#head - 1) & (this.#items.length - 1);
    this.#items[this.#head] = item;
    this.length++;
  }

  shift(): Item | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#items.length - 1);
    this.length--;
    return item;
  }

  #grow(): void {
    const items = [...this.#items.slice(this.#head), ...this.#items.slice(0, this.#head)];
    this.#head = 0;
    this.#items = items.concat(Array.from({ length: items.length }));
  }
}
