import type { SettledMessage } from "../acknowledger.ts";
import type { PartitionKey } from "../message.ts";
import type { Incoming, Producer, ProducerContext, ProducerSession } from "../producer.ts";
import type { PushOutcome } from "../report.ts";

/** One pushed message, and where its outcome goes. */
interface Pushed extends Incoming<unknown, unknown> {
  settle(outcome: PushOutcome): void;
}

export interface PushSourceOptions {
  readonly key?: PartitionKey | undefined;
  readonly metadata?: unknown;
}

/** The source of what is pushed from code; its acknowledgement is the pusher's answer. */
export class PushSource implements Producer<unknown> {
  readonly name: string = "push";
  #waiting: Pushed[] = [];
  #wake: (() => void) | undefined;

  /** Messages that wait for room. */
  get waiting(): number {
    return this.#waiting.length;
  }

  push(payloads: readonly unknown[], options: PushSourceOptions = {}): Promise<PushOutcome[]> {
    const { key, metadata } = options;
    const outcomes = payloads.map(
      (payload) =>
        new Promise<PushOutcome>((settle) => {
          this.#waiting.push({ payload, metadata, key, settle });
        }),
    );
    this.#wake?.();
    return Promise.all(outcomes);
  }

  /** A session knows only what it handed over itself: an older one may be told of its messages after it. */
  open(context: ProducerContext): ProducerSession<unknown> {
    this.#wake = () => context.wake();
    const out = new Set<Pushed>();
    const settle = ({ incoming, outcome, reason }: SettledMessage): void => {
      out.delete(incoming as Pushed);
      (incoming as Pushed).settle({ outcome, reason });
    };
    return {
      pull: ({ messages }) => {
        const pulled = this.#waiting.splice(0, messages);
        for (const message of pulled) out.add(message);
        return pulled;
      },
      acknowledge: ({ succeeded, failed }) => {
        for (const message of succeeded) settle(message);
        for (const message of failed) settle(message);
      },
      close: () => {
        for (const message of out) message.settle({ outcome: "abandoned", reason: undefined });
      },
      // Nothing comes from elsewhere.
      idle: Infinity,
    };
  }

  /** What still waited for room was never taken. */
  end(): void {
    for (const message of this.#waiting.splice(0)) {
      message.settle({ outcome: "released", reason: undefined });
    }
  }
}
