import type { LeasedMessage } from "@westend/sqlite";

interface Known {
  readonly key: string | undefined;
  /** Enqueued for later, so that it holds nothing back before it was handed out. */
  readonly late: boolean;
  attempted: boolean;
  heldBy: number | undefined;
  until: number;
}

/** Watches consumers and notes every breach of the order of a key. */
export class KeyOracle {
  readonly breaches: string[] = [];
  /** In the order in which they were enqueued. */
  readonly #open = new Map<string, Known>();
  #now = 0;

  pass(milliseconds: number): void {
    this.#now += milliseconds;
  }

  enqueued(ids: readonly string[], keys: readonly (string | undefined)[], late: boolean): void {
    for (const [index, id] of ids.entries()) {
      this.#open.set(id, { key: keys[index], late, attempted: false, heldBy: undefined, until: 0 });
    }
  }

  leased(messages: readonly LeasedMessage[], by: number, duration: number): void {
    for (const { metadata } of messages) {
      const message = this.#open.get(metadata.id);
      if (message === undefined) {
        this.breaches.push(`${metadata.id} was handed out after it was acknowledged`);
        continue;
      }
      if (message.key !== undefined) this.#check(metadata.id, message.key, by);
      Object.assign(message, { heldBy: by, until: this.#now + duration, attempted: true });
    }
  }

  #check(id: string, key: string, by: number): void {
    let earlier = true;
    for (const [otherId, other] of this.#open) {
      if (otherId === id) earlier = false;
      else if (other.key !== key) continue;
      else if (other.heldBy !== undefined && other.until > this.#now && other.heldBy !== by) {
        this.breaches.push(`${id} was handed out while another consumer has ${otherId}`);
      } else if (earlier && other.heldBy !== by && (other.attempted || !other.late)) {
        this.breaches.push(`${id} was handed out before ${otherId}`);
      }
    }
  }

  ended(messages: readonly LeasedMessage[], how: string, milliseconds: number): void {
    for (const { metadata } of messages) {
      const message = this.#open.get(metadata.id);
      if (message === undefined) continue;
      if (how === "acknowledge") this.#open.delete(metadata.id);
      else if (how === "extend") message.until = this.#now + milliseconds;
      else message.heldBy = undefined;
    }
  }

  /** What has been enqueued and not acknowledged. */
  get left(): string[] {
    return [...this.#open.keys()];
  }
}
