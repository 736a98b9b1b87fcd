import type { Clock } from "../clock.ts";
import { refuseText } from "../options.ts";
import type { Demand, Incoming, Producer, ProducerContext, ProducerSession } from "../producer.ts";

/** What {@link fromIterable} and `fromReadable` say about their messages besides the payload. */
export interface IterableMetadata {
  /** Counts the items, from 0. */
  readonly index: number;
}

export interface FromIterableOptions {
  /**
   * Names the source in telemetry and stats.
   * @defaultValue `"iterable"`
   */
  readonly name?: string | undefined;
}

/**
 * Reads an iterable, an async iterable or a generator, as fast as the pipeline has room, never ahead of it. Its end ends the pipeline.
 * An iterator that throws fails the pipeline: it cannot be asked again. Nothing can be sent again, so a drain handles what was taken.
 * @throws ConfigurationError if it is text, which would be read character by character
 */
export function fromIterable<Payload>(
  iterable: (Iterable<Payload> | AsyncIterable<Payload>) & object,
  options: FromIterableOptions = {},
): Producer<Payload, IterableMetadata> {
  refuseText("fromIterable", "iterable", iterable);
  const { name = "iterable" } = options;
  // A restarted session goes on where the last one stopped; another run of the pipeline begins anew.
  const readings = new WeakMap<AbortSignal, ProducerSession<Payload, IterableMetadata>>();
  return {
    name,
    open(context) {
      const reading = readings.get(context.signal) ?? read(iterable, context);
      readings.set(context.signal, reading);
      return reading;
    },
  };
}

function read<Payload>(
  iterable: Iterable<Payload> | AsyncIterable<Payload>,
  context: ProducerContext,
): ProducerSession<Payload, IterableMetadata> {
  if (Array.isArray(iterable)) return new ArrayReading<Payload>(iterable);
  return Symbol.asyncIterator in iterable
    ? new AsyncReading(iterable[Symbol.asyncIterator](), context)
    : new SyncReading(iterable[Symbol.iterator](), context.signal);
}

class Item<Payload> implements Incoming<Payload, IterableMetadata> {
  readonly payload: Payload;
  readonly #index: number;

  constructor(payload: Payload, index: number) {
    this.payload = payload;
    this.#index = index;
  }

  /** Made on demand: few look at it. */
  get metadata(): IterableMetadata {
    return { index: this.#index };
  }
}

/** An array needs no iterator, which would cost an object for each item; and its length is known. */
class ArrayReading<Payload> implements ProducerSession<Payload, IterableMetadata> {
  readonly #items: readonly Payload[];
  #index = 0;

  constructor(items: readonly Payload[]) {
    this.#items = items;
  }

  pull({ messages }: Demand): Item<Payload>[] | null {
    if (this.#index >= this.#items.length) return null;
    const first = this.#index;
    const pulled: unknown[] = this.#items.slice(first, first + messages);
    for (let index = 0; index < pulled.length; index++) {
      pulled[index] = new Item(pulled[index], first + index);
    }
    this.#index += pulled.length;
    return pulled as Item<Payload>[];
  }

  acknowledge(): void {}

  drain(): void {
    this.#index = this.#items.length;
  }

  remaining(): number {
    return Math.max(0, this.#items.length - this.#index);
  }
}

/** What is to be pulled once nothing more comes: the end, or what the iterator threw. */
type Ending = () => null;

const ended: Ending = () => null;
const failed = (error: unknown): Ending => {
  return () => {
    throw error;
  };
};

class SyncReading<Payload> implements ProducerSession<Payload, IterableMetadata> {
  readonly #iterator: Iterator<Payload>;
  #index = 0;
  #ending: Ending | undefined;

  constructor(iterator: Iterator<Payload>, signal: AbortSignal) {
    this.#iterator = iterator;
    signal.addEventListener("abort", () => this.drain(), { once: true });
  }

  pull({ messages }: Demand): Item<Payload>[] | null {
    const pulled: Item<Payload>[] = [];
    while (pulled.length < messages && this.#ending === undefined) this.#next(pulled);
    // What came before an error is handed over first.
    return pulled.length > 0 || this.#ending === undefined ? pulled : this.#ending();
  }

  acknowledge(): void {}

  drain(): void {
    if (this.#ending !== undefined) return;
    // First: called again by the signal, an iterator that cannot be closed must not throw into it.
    this.#ending = ended;
    this.#iterator.return?.();
  }

  #next(pulled: Item<Payload>[]): void {
    try {
      const { done, value } = this.#iterator.next();
      if (done === true) this.#ending = ended;
      else pulled.push(new Item(value, this.#index++));
    } catch (error) {
      this.#ending = failed(error);
    }
  }
}

class AsyncReading<Payload> implements ProducerSession<Payload, IterableMetadata> {
  readonly #iterator: AsyncIterator<Payload>;
  readonly #clock: Clock;
  #index = 0;
  #ending: Ending | undefined;
  /** A `next()` under way; it outlives the pull that asked for it. */
  #pending: Promise<void> | undefined;
  #ready: { readonly value: Payload } | undefined;

  constructor(iterator: AsyncIterator<Payload>, { signal, clock }: ProducerContext) {
    this.#iterator = iterator;
    this.#clock = clock;
    signal.addEventListener("abort", () => this.drain(), { once: true });
  }

  /** The first item is waited for; more are taken as long as they come in the same turn. */
  async pull({ messages }: Demand, signal: AbortSignal): Promise<Item<Payload>[] | null> {
    const pulled: Item<Payload>[] = [];
    let abort = (): void => {};
    const aborted = new Promise<void>((resolve) => {
      abort = resolve;
    });
    signal.addEventListener("abort", abort, { once: true });
    const came = await this.#next(pulled, aborted);
    // The signal is that of all pulls of the session: what stays on it stays as long.
    signal.removeEventListener("abort", abort);
    if (!came || signal.aborted) return this.#result(pulled, signal);
    const turn = new Promise<void>((resolve) => this.#clock.defer(resolve));
    while (pulled.length < messages && (await this.#next(pulled, turn)));
    return pulled;
  }

  acknowledge(): void {}

  drain(): void {
    if (this.#ending === undefined) this.#iterator.return?.()?.then(undefined, () => {});
    this.#ending ??= ended;
  }

  #result(pulled: Item<Payload>[], signal: AbortSignal): Item<Payload>[] | null {
    if (pulled.length > 0 || signal.aborted || this.#ending === undefined) return pulled;
    return this.#ending();
  }

  /** True if an item came before the time to wait was over. */
  async #next(pulled: Item<Payload>[], over: Promise<void>): Promise<boolean> {
    if (this.#ready === undefined && this.#ending === undefined) {
      this.#pending ??= this.#ask();
      await Promise.race([this.#pending, over]);
    }
    if (this.#ready === undefined) return false;
    pulled.push(new Item(this.#ready.value, this.#index++));
    this.#ready = undefined;
    return true;
  }

  async #ask(): Promise<void> {
    try {
      const { done, value } = await this.#iterator.next();
      if (done === true) this.#ending = ended;
      else this.#ready = { value };
    } catch (error) {
      this.#ending = failed(error);
    }
    this.#pending = undefined;
  }
}
