import type {
  AcknowledgeResult,
  Awaitable,
  Demand,
  Incoming,
  Outcome,
  Producer,
  ProducerContext,
  ProducerSession,
  Settled,
} from "westend";

export type TestIncoming = Incoming<number, TestMetadata>;

export interface TestMetadata {
  readonly index: number;
}

export interface TestAcknowledgement {
  readonly payload: number;
  readonly outcome: Outcome;
  readonly reason: unknown;
  /** The session that was told, from 0 in order of opening. */
  readonly session: number;
}

type Pulled = readonly TestIncoming[] | null;

/** What a test has a session do otherwise; `usual` is what it would have done. */
export interface TestSourceBehaviour {
  readonly name?: string;
  open?(session: number, context: ProducerContext): Awaitable<void>;
  pull?(usual: () => Pulled, demand: Demand, signal: AbortSignal, session: number): unknown;
  acknowledge?(
    usual: () => void,
    settled: Settled<TestMetadata>,
    session: number,
  ): Awaitable<AcknowledgeResult<TestMetadata>>;
  release?(usual: () => void): Awaitable<void>;
  extend?(messages: readonly TestIncoming[], milliseconds: number): Awaitable<void>;
  drain?(): Awaitable<void>;
  close?(usual: () => void): Awaitable<void>;
  /** Without it a session takes nothing back before it is closed. */
  readonly releases?: boolean;
  readonly lease?: number;
  readonly idle?: number;
}

/** A source of numbers that remembers everything it was told, and misbehaves where it is told to. */
export class TestSource implements Producer<number, TestMetadata> {
  readonly name: string;
  readonly contexts: ProducerContext[] = [];
  readonly acknowledgements: TestAcknowledgement[] = [];
  /** Calls in order: `open 0`, `pull 0`, `drain 0`, `acknowledge 0`, `release 0`, `close 0`. */
  readonly calls: string[] = [];
  /** What it was asked for, pull by pull. */
  readonly demands: number[] = [];
  /** Payloads given back by `release`. */
  readonly released: number[] = [];
  ended: boolean;
  readonly #behaviour: TestSourceBehaviour;
  readonly #taken: Map<unknown, number> = new Map();
  #waiting: TestIncoming[];
  #pushed = 0;

  constructor(payloads: Iterable<number> = [], behaviour: TestSourceBehaviour = {}, ended = false) {
    this.name = behaviour.name ?? "test";
    this.#behaviour = behaviour;
    this.#waiting = [...payloads].map((payload) => this.#incoming(payload));
    this.ended = ended;
  }

  /** Payloads nobody has taken, or that were given back. */
  get waiting(): number[] {
    return this.#waiting.map(({ payload }) => payload);
  }

  /** Payloads that are out and of which nothing was said. */
  get taken(): number[] {
    return [...this.#taken.keys()].map((incoming) => (incoming as TestIncoming).payload);
  }

  get acknowledged(): number[] {
    return this.acknowledgements.map(({ payload }) => payload);
  }

  push(...payloads: number[]): void {
    this.#waiting.push(...payloads.map((payload) => this.#incoming(payload)));
    this.wake();
  }

  wake(): void {
    for (const context of this.contexts) context.wake();
  }

  async open(context: ProducerContext): Promise<ProducerSession<number, TestMetadata>> {
    const session = this.contexts.push(context) - 1;
    const behaviour = this.#behaviour;
    this.calls.push(`open ${session}`);
    await behaviour.open?.(session, context);
    return {
      pull: (demand, signal) => {
        this.calls.push(`pull ${session}`);
        this.demands.push(demand.messages);
        const usual = (): Pulled => this.#take(demand, session);
        if (behaviour.pull === undefined) return usual();
        return behaviour.pull(usual, demand, signal, session) as Awaitable<Pulled>;
      },
      acknowledge: (settled) => {
        this.calls.push(`acknowledge ${session}`);
        const usual = (): void => this.#settle(settled, session);
        if (behaviour.acknowledge === undefined) return usual();
        return behaviour.acknowledge(usual, settled, session);
      },
      ...(behaviour.releases !== false && {
        release: (messages: readonly TestIncoming[]) => {
          this.calls.push(`release ${session}`);
          const usual = (): void => {
            this.released.push(...messages.map(({ payload }) => payload));
            this.#giveBack(messages);
          };
          return behaviour.release === undefined ? usual() : behaviour.release(usual);
        },
      }),
      ...(behaviour.extend !== undefined && { extend: behaviour.extend.bind(behaviour) }),
      drain: () => {
        this.calls.push(`drain ${session}`);
        return behaviour.drain?.();
      },
      close: () => {
        this.calls.push(`close ${session}`);
        const usual = (): void => {
          this.#giveBack([...this.#taken].filter(([, of]) => of === session).map(([one]) => one));
        };
        return behaviour.close === undefined ? usual() : behaviour.close(usual);
      },
      lease: behaviour.lease,
      idle: behaviour.idle ?? Infinity,
    };
  }

  #incoming(payload: number): TestIncoming {
    return { payload, metadata: { index: this.#pushed++ } };
  }

  #take({ messages }: Demand, session: number): Pulled {
    const pulled = this.#waiting.splice(0, messages);
    for (const incoming of pulled) this.#taken.set(incoming, session);
    return pulled.length === 0 && this.ended ? null : pulled;
  }

  #settle({ succeeded, failed }: Settled<TestMetadata>, session: number): void {
    for (const { incoming, outcome, reason } of [...succeeded, ...failed]) {
      this.#taken.delete(incoming);
      const payload = incoming.payload as number;
      this.acknowledgements.push({ payload, outcome, reason, session });
    }
  }

  #giveBack(messages: readonly unknown[]): void {
    const back = messages.filter((message) => this.#taken.delete(message)) as TestIncoming[];
    this.#waiting = [...back, ...this.#waiting].sort((a, b) => a.metadata.index - b.metadata.index);
  }
}

/** The numbers from `first` to `last`. */
export function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** The same numbers from the least to the greatest. */
export function ascending(values: Iterable<number>): number[] {
  return [...values].sort((a, b) => a - b);
}

/** For a source that takes back some of what it sent. */
export function isEven({ payload }: Incoming<unknown, unknown>): boolean {
  return (payload as number) % 2 === 0;
}
