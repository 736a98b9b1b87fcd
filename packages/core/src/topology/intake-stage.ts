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

/** What came at once; what has been given back meanwhile has left a gap. */
export type Chunk = readonly (Delivery | undefined)[];

export interface IntakeStageOptions {
  readonly clock: Clock;
  readonly turn: Turn;
  readonly decoder: Decoder<unknown, unknown> | undefined;
  readonly user: Pick<UserProcessor, "self" | "partitionBy" | "prepare">;
  readonly signal: AbortSignal;
  /** Milliseconds that decoding one message may take, and preparing some. */
  readonly timeout: number | undefined;
  /** These can be scheduled, decoded or not. If not `prepared` each must be prepared alone, before it is handled. */
  ready(chunk: Chunk, prepared: boolean): void;
  /** The message could not be decoded. It becomes ready all the same, to fail when its turn comes. */
  undecoded(delivery: Delivery, error: unknown): void;
}

/** Makes messages of what a pull brought: decoded, keyed and prepared, in order of arrival. */
export class IntakeStage {
  readonly #options: IntakeStageOptions;

  constructor(options: IntakeStageOptions) {
    this.#options = options;
  }

  /** Takes in one chunk; a promise only if something has to be awaited. The next chunk of a session must wait for it. */
  take(chunk: Chunk): Awaitable<void> {
    const { turn, user, ready, decoder } = this.#options;
    // Nothing else of the user's is called.
    const slow = decoder !== undefined || user.partitionBy !== undefined;
    for (let index = 0; index < chunk.length; index++) {
      if (slow && turn.spent()) return this.#takeRest(chunk, index, undefined);
      const delivery = chunk[index];
      // What the user's functions do may give others of the chunk back: they may stop the pipeline.
      if (delivery === undefined) continue;
      const pending = this.#decode(delivery);
      if (pending !== undefined) return this.#takeRest(chunk, index, pending);
    }
    if (user.prepare !== undefined) return this.#prepare(chunk);
    ready(chunk, true);
  }

  async #takeRest(
    chunk: Chunk,
    from: number,
    pending: PromiseLike<void> | undefined,
  ): Promise<void> {
    const { clock, turn, user, ready } = this.#options;
    const prepare = user.prepare !== undefined;
    if (!prepare && from > 0) ready(chunk.slice(0, from), true);
    if (pending !== undefined) {
      await pending;
      if (!prepare) ready([chunk[from]], true);
    }
    for (let index = pending === undefined ? from : from + 1; index < chunk.length; index++) {
      if (turn.spent()) await new Promise<void>((resolve) => clock.defer(resolve));
      const delivery = chunk[index];
      if (delivery === undefined) continue;
      const decoding = this.#decode(delivery);
      if (decoding !== undefined) await decoding;
      if (!prepare) ready([delivery], true);
    }
    if (prepare) await this.#prepare(chunk);
  }

  /** Takes in one message, where there is nothing to be decoded. */
  admit(delivery: Delivery): void {
    void this.#decode(delivery);
  }

  #decode(delivery: Delivery): PromiseLike<void> | undefined {
    const { decoder } = this.#options;
    try {
      const { payload, defect } = delivery.incoming;
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
      this.#options.undecoded(delivery, error);
      return undefined;
    }
  }

  // On its own: a closure in `#decode` would cost an allocation for every message.
  async #decodeLater(delivery: Delivery, data: PromiseLike<unknown>): Promise<void> {
    try {
      this.#admit(delivery, await within(this.#options, "decoder", data));
    } catch (error) {
      this.#options.undecoded(delivery, error);
    }
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

  async #prepare(chunk: Chunk): Promise<void> {
    let prepared = true;
    try {
      const messages = chunk.flatMap((delivery) => delivery?.message ?? []);
      if (messages.length > 0) await this.#callPrepare(messages);
    } catch {
      // One of them may be to blame: each is prepared again alone, and fails alone.
      prepared = false;
    }
    this.#options.ready(chunk, prepared);
  }

  async #callPrepare(messages: readonly Message<unknown>[]): Promise<void> {
    const { user, signal } = this.#options;
    const controller = new AbortController();
    const abort = (): void => controller.abort(signal.reason);
    signal.addEventListener("abort", abort);
    try {
      const prepared = user.prepare?.call(user.self, messages, controller.signal);
      if (!isThenable(prepared)) return;
      await within(this.#options, "processor.prepare", prepared, (error) =>
        controller.abort(error),
      );
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
}
