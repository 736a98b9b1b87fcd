import type { Settled } from "../acknowledger.ts";
import { refuseText } from "../options.ts";
import type { Demand, Incoming, Producer, ProducerContext, ProducerSession } from "../producer.ts";

/** What {@link memory} says about its messages besides the payload. */
export interface MemoryMetadata {
  /** Counts the messages in order of `push`, from 0. */
  readonly index: number;
}

interface Held<Payload> extends Incoming<Payload, MemoryMetadata> {
  attempt: number;
}

/** A queue in memory that a pipeline reads; for tests, and for feeding a pipeline from the same process. */
export interface MemoryProducer<Payload> extends Producer<Payload, MemoryMetadata> {
  /** Adds payloads at the end. Nothing bounds the queue; `running.push` waits for room. */
  push(...payloads: readonly Payload[]): void;
  /** No more is to come: a pipeline ends when it has handled what is left. */
  end(): void;
  /** Payloads that no pipeline has taken yet, or that were given back. */
  readonly waiting: number;
  /** Payloads that were taken and are not acknowledged. */
  readonly taken: number;
  /** Payloads acknowledged as done. */
  readonly succeeded: number;
  /** Payloads handed back as failed; they are not sent again. */
  readonly failed: number;
}

/**
 * A queue in memory. What a session took and never acknowledged goes back to the front when it closes.
 * @param payloads what is in it at the start
 * @throws ConfigurationError if they are text, which would be taken character by character
 */
export function memory<Payload>(
  payloads: Iterable<Payload> & object = [],
): MemoryProducer<Payload> {
  refuseText("memory", "payloads", payloads);
  return new MemoryQueue(payloads);
}

class MemoryQueue<Payload> implements MemoryProducer<Payload> {
  readonly name: string = "memory";
  succeeded: number = 0;
  failed: number = 0;
  taken: number = 0;
  readonly #sessions = new Set<ProducerContext>();
  #queue: Held<Payload>[] = [];
  /** Of `#queue`: what is before it has been taken. */
  #head = 0;
  #pushed = 0;
  #ended = false;

  constructor(payloads: Iterable<Payload>) {
    for (const payload of payloads) this.push(payload);
  }

  get waiting(): number {
    return this.#queue.length - this.#head;
  }

  push(...payloads: readonly Payload[]): void {
    for (const payload of payloads) {
      this.#queue.push({ payload, metadata: { index: this.#pushed++ }, attempt: 0 });
    }
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  open(context: ProducerContext): ProducerSession<Payload, MemoryMetadata> {
    this.#sessions.add(context);
    const taken = new Set<Held<Payload>>();
    return {
      pull: (demand) => this.#take(demand, taken),
      acknowledge: (settled) => this.#settle(settled, taken),
      release: (messages) => this.#giveBack(messages as readonly Held<Payload>[], taken),
      remaining: () => this.waiting,
      idle: Infinity,
      close: () => {
        this.#sessions.delete(context);
        this.#giveBack([...taken], taken);
      },
    };
  }

  #take({ messages }: Demand, taken: Set<Held<Payload>>): Held<Payload>[] | null {
    const pulled = this.#queue.slice(this.#head, this.#head + messages);
    this.#head += pulled.length;
    if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    for (const message of pulled) {
      message.attempt++;
      taken.add(message);
    }
    this.taken += pulled.length;
    // What is out may come back: the end is the end only once nothing is.
    return pulled.length === 0 && this.#ended && this.taken === 0 ? null : pulled;
  }

  #settle({ succeeded, failed }: Settled<MemoryMetadata>, taken: Set<Held<Payload>>): void {
    for (const { incoming } of [...succeeded, ...failed]) {
      if (taken.delete(incoming as Held<Payload>)) this.taken--;
    }
    this.succeeded += succeeded.length;
    this.failed += failed.length;
    if (this.#ended && this.taken === 0) this.#wake();
  }

  #giveBack(messages: readonly Held<Payload>[], taken: Set<Held<Payload>>): void {
    const back = messages.filter((message) => taken.delete(message));
    for (const message of back) message.attempt--;
    this.taken -= back.length;
    const rest = this.#queue.slice(this.#head);
    this.#queue = [...back, ...rest].sort((a, b) => a.metadata.index - b.metadata.index);
    this.#head = 0;
    this.#wake();
  }

  #wake(): void {
    for (const context of this.#sessions) context.wake();
  }
}
