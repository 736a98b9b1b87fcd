import { isThenable } from "../topology/thenable.ts";

interface Pending {
  readonly end: () => void;
}

/** Counts what user code has under way, so that no time passes meanwhile. */
export class Activity {
  readonly #pending = new Set<Pending>();
  #change: Promise<void>;
  #changed!: () => void;

  constructor() {
    this.#change = this.#next();
  }

  get running(): number {
    return this.#pending.size;
  }

  /** Makes the call. What it gives counts as running until it settles, or is given up by its signal. */
  track<Value>(call: () => Value, signal?: AbortSignal): Value | Promise<Awaited<Value>> {
    const result = call();
    if (!isThenable(result)) return result;
    // Asked for once only: the queries of some database clients run each time they are awaited.
    const promise = Promise.resolve(result);
    const pending: Pending = {
      end: () => {
        this.#pending.delete(pending);
        signal?.removeEventListener("abort", pending.end);
        this.changed();
      },
    };
    this.#pending.add(pending);
    signal?.addEventListener("abort", pending.end, { once: true });
    promise.then(pending.end, pending.end);
    return promise;
  }

  /** Resolves at the next `changed()`. */
  get change(): Promise<void> {
    return this.#change;
  }

  /** Something has begun or ended. */
  changed(): void {
    this.#changed();
    this.#change = this.#next();
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve;
    });
  }
}
