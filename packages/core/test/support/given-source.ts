import type { Demand, Incoming, Outcome, Producer, ProducerSession, Settled } from "westend";

export interface Told<Payload> {
  readonly payload: Payload;
  readonly outcome: Outcome;
  readonly reason: unknown;
  readonly ackOptions: unknown;
}

export type Given<Payload> = Omit<Incoming<Payload, undefined>, "metadata">;

/** A finite source of exactly these messages, with their keys and delivery counts; it notes what it is told of each. */
export class GivenSource<Payload> implements Producer<Payload, undefined> {
  readonly name: string = "given";
  /** In the order in which it was told. */
  readonly told: Told<Payload>[] = [];
  /** How many messages each pull gave. */
  readonly pulls: number[] = [];
  readonly #given: Iterator<Given<Payload>>;
  readonly #chunk: number;

  constructor(given: Iterable<Given<Payload>>, chunk = Infinity) {
    this.#given = given[Symbol.iterator]();
    this.#chunk = chunk;
  }

  /** What ended like that, in the order in which it was told. */
  payloads(outcome: Outcome): Payload[] {
    return this.told.filter((one) => one.outcome === outcome).map(({ payload }) => payload);
  }

  open(): ProducerSession<Payload, undefined> {
    return {
      pull: (demand) => this.#pull(demand),
      acknowledge: (settled) => this.#note(settled),
    };
  }

  #pull(demand: Demand): Incoming<Payload, undefined>[] | null {
    const pulled: Incoming<Payload, undefined>[] = [];
    const most = Math.min(demand.messages, this.#chunk);
    while (pulled.length < most) {
      const { done, value } = this.#given.next();
      if (done === true) break;
      pulled.push({ ...value, metadata: undefined });
    }
    if (pulled.length === 0) return null;
    this.pulls.push(pulled.length);
    return pulled;
  }

  #note({ succeeded, failed }: Settled<undefined>): void {
    for (const { incoming, outcome, reason, ackOptions } of [...succeeded, ...failed]) {
      const payload = incoming.payload as Payload;
      this.told.push({ payload, outcome, reason, ackOptions });
    }
  }
}

/** A source of these payloads, and of nothing else about them. */
export function given<Payload>(payloads: Iterable<Payload>, chunk?: number): GivenSource<Payload> {
  return new GivenSource(
    [...payloads].map((payload) => ({ payload })),
    chunk,
  );
}
