import type {
  AcknowledgeResult,
  Awaitable,
  Demand,
  Incoming,
  Producer,
  ProducerContext,
  ProducerSession,
  Settled,
  SettledMessage,
} from "westend";
import type { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { type Delivery, describeDelivery, dueOutcome, makeDelivery } from "./book.ts";
import type { AcknowledgePlan, MessagePlan, SourcePlan } from "./plan.ts";
import { after, demand, turnOf } from "./promises.ts";

type Pulled = Incoming<number, Delivery>[] | null;

/** How often an acknowledgement is refused before the pipeline gives it up. */
const REFUSALS = 5;

export interface PlannedSourceOptions {
  readonly clock: VirtualClock;
  readonly plan: SourcePlan;
  readonly messages: readonly MessagePlan[];
  /** Messages are prepared before they are handled. */
  readonly prepares: boolean;
  /** Something of the pipeline is called. */
  called(what: "pull" | "acknowledge"): void;
  pulls(demand: Demand): void;
}

/** A source that does as planned, keeps the book of every delivery, and finds fault with what it is told. */
export class PlannedSource implements Producer<number, Delivery> {
  readonly name = "planned";
  readonly deliveries: Delivery[] = [];
  readonly #options: PlannedSourceOptions;
  readonly #waiting: { readonly id: number; readonly plan: MessagePlan }[];
  readonly #contexts: ProducerContext[] = [];
  /** Asked for by pulls that have not come back. */
  readonly #asked = new Set<Demand>();
  readonly #closed = new Set<number>();
  #pulls = 0;
  #opens = 0;
  #acknowledgements = 0;

  constructor(options: PlannedSourceOptions) {
    this.#options = options;
    this.#waiting = options.messages.map((plan, id) => ({ id, plan }));
  }

  /** Ids nobody has taken, or that were given back. */
  get waiting(): number[] {
    return this.#waiting.map(({ id }) => id);
  }

  /** What is out and not told of, as the source sees it. */
  get out(): Delivery[] {
    return this.deliveries.filter(
      ({ state, refusals, revoked }) => state === "out" && refusals < REFUSALS && !revoked,
    );
  }

  /** Messages asked for by pulls that have not come back. */
  get asked(): number {
    return [...this.#asked].reduce((sum, { messages }) => sum + messages, 0);
  }

  wake(): void {
    for (const context of this.#contexts) context.wake();
  }

  /** Takes messages back, as a rebalance does, and has them delivered again. */
  async revoke(odd: boolean, timeout: number): Promise<void> {
    const back = (delivery: Delivery): boolean => (delivery.id % 2 === 1) === odd;
    const revoked = this.deliveries.filter((one) => one.state === "out" && back(one));
    // Session by session: what the first of them sets going may still try messages of the next.
    const revoke = ({ metadata }: { readonly metadata: unknown }): boolean => {
      const delivery = metadata as Delivery;
      delivery.revoked ||= revoked.includes(delivery);
      return revoked.includes(delivery);
    };
    const whole = this.#contexts.map((context) => context.revoke(revoke, timeout));
    for (const delivery of revoked) delivery.revoked = true;
    // What has to be prepared alone may be on its way into its handler.
    const unstarted = this.#options.prepares ? [] : revoked.filter(({ begun }) => !begun);
    await Promise.all(whole);
    for (const one of unstarted) {
      demand(!one.begun, "nothing of what is revoked starts any more", () => describeDelivery(one));
    }
    for (const delivery of revoked)
      if (delivery.state === "out") this.#giveBack(delivery, "revoked");
    this.wake();
  }

  async open(context: ProducerContext): Promise<ProducerSession<number, Delivery>> {
    const { plan } = this.#options;
    if (plan.unopened.includes(++this.#opens)) throw new Error("cannot be opened, as planned");
    const session = this.#contexts.push(context) - 1;
    return {
      pull: (asked, signal) => this.#pull(session, asked, signal),
      acknowledge: (settled) => this.#acknowledge(session, settled),
      ...(plan.releases && {
        release: async (messages) => {
          for (const { metadata } of messages) this.#release(metadata);
        },
      }),
      ...(plan.lease !== undefined && {
        lease: plan.lease,
        extend: (messages) => {
          for (const { metadata } of messages) {
            const held = metadata.state === "out" || this.#closed.has(metadata.session);
            demand(held, "only what is held is extended", () => describeDelivery(metadata));
          }
        },
      }),
      close: () => this.#close(session),
      idle: plan.endless ? Infinity : undefined,
    };
  }

  #pull(session: number, asked: Demand, signal: AbortSignal): Awaitable<Pulled> {
    const { clock, plan, called, pulls } = this.#options;
    demand(!this.#closed.has(session), "nothing is pulled from a closed session");
    const number = this.#pulls++;
    this.#asked.add(asked);
    pulls(asked);
    called("pull");
    const wait = turnOf(plan.waits, number) ?? (this.#waiting.length === 0 ? plan.polls : null);
    try {
      const pulled = after(clock, wait, plan.heeds ? signal : undefined, () =>
        this.#give(session, number, asked),
      );
      if (!(pulled instanceof Promise)) {
        this.#asked.delete(asked);
        return pulled;
      }
      return pulled.finally(() => this.#asked.delete(asked));
    } catch (error) {
      this.#asked.delete(asked);
      throw error;
    }
  }

  #give(session: number, number: number, { messages, bytes }: Demand): Pulled {
    const { plan } = this.#options;
    if (plan.failures.includes(number)) throw new Error("cannot be read, as planned");
    const chunk = turnOf([...plan.chunks, 3], number);
    if (this.#waiting.length === 0) return plan.endless ? [] : null;
    const pulled: Incoming<number, Delivery>[] = [];
    let room = bytes;
    const most = chunk >= messages ? messages + plan.excess : chunk;
    while (pulled.length < most) {
      const [next] = this.#waiting;
      if (next === undefined) break;
      const { id, plan: message } = next;
      if (plan.measures && message.size > room && pulled.length > 0) break;
      room -= message.size;
      this.#waiting.shift();
      const key = message.key;
      const delivery = makeDelivery({ id, plan: message, session, pushed: false, key });
      this.deliveries.push(delivery);
      pulled.push(delivery.incoming);
    }
    // What comes after the session was closed was never the pipeline's.
    if (this.#closed.has(session)) {
      for (const { metadata } of pulled) this.#giveBack(metadata, "closed");
    }
    return pulled;
  }

  #acknowledge(
    session: number,
    settled: Settled<Delivery>,
  ): Awaitable<AcknowledgeResult<Delivery>> {
    const { clock, plan, called } = this.#options;
    const all = [...settled.succeeded, ...settled.failed];
    demand(all.length > 0, "no acknowledgement is empty");
    for (const one of all) this.#look(session, one, settled);
    const early = settled.succeeded[0]?.incoming.metadata.early === true;
    called("acknowledge");
    const usual: AcknowledgePlan = { wait: null, refuses: "nothing" };
    const { wait, refuses } = plan.acknowledgements[this.#acknowledgements++] ?? usual;
    return after(clock, wait, undefined, () => this.#take(all, early, refuses));
  }

  /** What is said of a message is true, and said once. */
  #look(session: number, told: SettledMessage<Delivery>, { failed }: Settled<Delivery>): void {
    const { metadata: delivery } = told.incoming;
    const detail = (): string => `${told.outcome} of ${describeDelivery(delivery)}`;
    demand(!this.#closed.has(session), "no closed session is told anything", detail);
    demand(delivery.session === session, "a session is told of its own messages", detail);
    demand(delivery.incoming === told.incoming, "what was handed over comes back", detail);
    demand(
      failed.includes(told) === (told.outcome === "failed"),
      "failed is told as failed",
      detail,
    );
    demand(
      delivery.state === "out",
      "each delivery is told of once, and not after it was given or taken back",
      detail,
    );
    if (delivery.early) return;
    const due = dueOutcome(delivery);
    demand(due === told.outcome, `acknowledged when and as it has ended: ${due} is due`, detail);
    delivery.outcome = told.outcome;
  }

  #take(
    told: readonly SettledMessage<Delivery>[],
    early: boolean,
    refuses: AcknowledgePlan["refuses"],
  ): AcknowledgeResult<Delivery> {
    const refused = told.filter(
      ({ incoming }) =>
        refuses !== "nothing" && (refuses !== "odd" || incoming.metadata.id % 2 === 1),
    );
    for (const one of told) {
      const { metadata: delivery } = one.incoming;
      if (refused.includes(one)) {
        if (!early) delivery.refusals += refuses === "final" ? REFUSALS : 1;
      } else {
        if (delivery.state === "out") delivery.state = "told";
        delivery.ended ||= !early;
        delivery.earlyTaken ||= early;
      }
    }
    if (refuses === "throws") throw new Error("cannot be told, as planned");
    if (refuses === "nonsense") return { refused: "nonsense" as never };
    if (refused.length === 0) return undefined;
    const reason = new Error("refused, as planned");
    return { refused, reason, final: refuses === "final" };
  }

  #release(delivery: Delivery): void {
    if (delivery.state === "closed") return;
    const settled = delivery.state === "told" || delivery.outcome !== undefined;
    demand(!settled, "nothing that has ended is given back", () => describeDelivery(delivery));
    demand(delivery.state !== "released", "nothing is given back twice");
    this.#giveBack(delivery, "released");
  }

  #close(session: number): Awaitable<void> {
    const { clock, plan } = this.#options;
    demand(!this.#closed.has(session), "a session is closed once");
    this.#closed.add(session);
    for (const delivery of this.deliveries) {
      if (delivery.session === session && delivery.state === "out") {
        this.#giveBack(delivery, "closed");
      }
    }
    if (plan.close === "throws") throw new Error("cannot be closed, as planned");
    if (plan.close === "hangs") return new Promise(() => {});
    return after(clock, plan.close === "slow" ? 70 : null, undefined, () => {});
  }

  #giveBack(delivery: Delivery, state: Delivery["state"]): void {
    delivery.state = state;
    delivery.ended = true;
    const { id, plan } = delivery;
    if (delivery.earlyTaken || delivery.refusals >= REFUSALS) return;
    const before = this.#waiting.findIndex((one) => one.id > id);
    this.#waiting.splice(before < 0 ? this.#waiting.length : before, 0, { id, plan });
  }
}
