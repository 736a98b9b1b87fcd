import type { Clock } from "../clock.ts";
import type { Decoder } from "../decoder.ts";
import { Message } from "../message.ts";
import type { Awaitable } from "../producer.ts";
import type { Delivery } from "./delivery.ts";
import { checkKey } from "./partition-key.ts";
import type { UserProcessor } from "./settings.ts";
import { isThenable } from "./thenable.ts";
import { within } from "./time-limit.ts";
import type { Turn } from "./turn.ts";

export interface IntakeStageOptions {
  readonly clock: Clock;
  readonly turn: Turn;
  readonly decoder: Decoder<unknown, unknown> | undefined;
  readonly user: Pick<UserProcessor, "self" | "partitionBy" | "prepare">;
  readonly signal: AbortSignal;
  /** Milliseconds that decoding one message may take, and preparing some. */
  readonly timeout: number | undefined;
  /** The message can be scheduled. If `prepared` is false it must be prepared alone, before it is handled. */
  ready(delivery: Delivery, prepared: boolean): void;
  /** The message could not be decoded; it does not become ready. */
  undecoded(delivery: Delivery, error: unknown): void;
}

/** Makes messages of what a pull brought: decoded, keyed and prepared, in order of arrival. */
export class IntakeStage {
  readonly #options: IntakeStageOptions;
  /** What could not be decoded and waits for what is prepared with it: it keeps its place. */
  readonly #undecoded = new Map<Delivery, unknown>();

  constructor(options: IntakeStageOptions) {
    this.#options = options;
  }

  /** Takes in one chunk; a promise only if something has to be awaited. The next chunk of a session must wait for it. */
  take(deliveries: readonly Delivery[]): Awaitable<void> {
    const { turn, user, ready, decoder } = this.#options;
    const prepare = user.prepare !== undefined;
    // Nothing else of the user's is called.
    const slow = decoder !== undefined || user.partitionBy !== undefined;
    for (let index = 0; index < deliveries.length; index++) {
      const delivery = deliveries[index] as Delivery;
      if (slow && turn.spent()) return this.#takeRest(deliveries, index, undefined);
      const pending = this.#decode(delivery);
      if (pending !== undefined) return this.#takeRest(deliveries, index, pending);
      if (!prepare && delivery.message !== undefined) ready(delivery, true);
    }
    if (prepare) return this.#prepare(deliveries);
  }

  async #takeRest(
    deliveries: readonly Delivery[],
    from: number,
    pending: PromiseLike<void> | undefined,
  ): Promise<void> {
    const { clock, turn, user, ready } = this.#options;
    const prepare = user.prepare !== undefined;
    for (let index = from; index < deliveries.length; index++) {
      const delivery = deliveries[index] as Delivery;
      if (turn.spent()) await new Promise<void>((resolve) => clock.defer(resolve));
      const decoding = index === from && pending !== undefined ? pending : this.#decode(delivery);
      if (decoding !== undefined) await decoding;
      if (!prepare && delivery.message !== undefined) ready(delivery, true);
    }
    if (prepare) await this.#prepare(deliveries);
  }

  #decode(delivery: Delivery): PromiseLike<void> | undefined {
    const { decoder } = this.#options;
    const { payload, defect } = delivery.incoming;
    try {
      if (defect !== undefined) throw defect;
      if (decoder === undefined) {
        this.#admit(delivery, payload);
        return undefined;
      }
      const data = decoder.decode(payload);
      if (!isThenable(data)) {
        this.#admit(delivery, data);
        return undefined;
      }
      return this.#decodeLater(delivery, data);
    } catch (error) {
      this.#refuse(delivery, error);
      return undefined;
    }
  }

  // On its own: a closure in `#decode` would cost an allocation for every message.
  async #decodeLater(delivery: Delivery, data: PromiseLike<unknown>): Promise<void> {
    try {
      this.#admit(delivery, await within(this.#options, "The decoder", data));
    } catch (error) {
      this.#refuse(delivery, error);
    }
  }

  #refuse(delivery: Delivery, error: unknown): void {
    const { user, undecoded } = this.#options;
    if (user.prepare === undefined) undecoded(delivery, error);
    else this.#undecoded.set(delivery, error);
  }

  #admit(delivery: Delivery, data: unknown): void {
    const { user } = this.#options;
    const message = new Message(data, delivery.incoming.attempt ?? 1, delivery);
    delivery.message = message;
    if (delivery.notes !== undefined) delivery.note({ defect: undefined });
    if (user.partitionBy !== undefined) this.#key(delivery, message);
  }

  #key(delivery: Delivery, message: Message<unknown>): void {
    const { user } = this.#options;
    try {
      const key = user.partitionBy?.call(user.self, message);
      delivery.key = checkKey(key, "processor.partitionBy");
    } catch (error) {
      delivery.key = undefined;
      delivery.note({ defect: { error, tries: Infinity } });
    }
  }

  async #prepare(deliveries: readonly Delivery[]): Promise<void> {
    const { ready, undecoded } = this.#options;
    const admitted = deliveries.filter((delivery) => !this.#undecoded.has(delivery));
    let prepared = true;
    try {
      const messages = admitted.map(({ message }) => message as Message<unknown>);
      if (messages.length > 0) await this.#callPrepare(messages);
    } catch {
      // One of them may be to blame: each is prepared again alone, and fails alone.
      prepared = false;
    }
    for (const delivery of deliveries) {
      if (this.#undecoded.has(delivery)) {
        const error = this.#undecoded.get(delivery);
        this.#undecoded.delete(delivery);
        undecoded(delivery, error);
      } else ready(delivery, prepared);
    }
  }

  async #callPrepare(messages: readonly Message<unknown>[]): Promise<void> {
    const { user, signal } = this.#options;
    const controller = new AbortController();
    const abort = (): void => controller.abort(signal.reason);
    signal.addEventListener("abort", abort);
    try {
      const prepared = user.prepare?.call(user.self, messages, controller.signal);
      if (!isThenable(prepared)) return;
      await within(this.#options, "prepare", prepared, (error) => controller.abort(error));
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
}
