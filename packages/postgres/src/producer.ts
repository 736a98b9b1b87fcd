import type {
  AcknowledgeResult,
  Demand,
  Producer,
  ProducerContext,
  ProducerSession,
  Settled,
} from "westend";
import type { QueuePayload } from "westend/connector";
import { acknowledge, type FailurePolicy } from "./acknowledger.ts";
import { checkPostgresOptions } from "./check-options.ts";
import type { LeasedMessage, PostgresMetadata } from "./leased-message.ts";
import type { PostgresOptions } from "./options.ts";
import { Owner } from "./owner.ts";
import type { PostgresQueue } from "./queue.ts";
import { retryable } from "./retryable.ts";

/**
 * A queue in PostgreSQL as a source. Messages are leased, kept while they are being worked on, and deleted when they are
 * acknowledged; if the process dies others get them when the lease runs out.
 * @example
 * ```ts
 * const queue = postgresQueue(pool, { name: "jobs" });
 * const jobs = definePipeline({
 *   name: "jobs",
 *   producer: postgres({ queue }),
 *   decoder: json(),
 *   processor: { concurrency: 4, handle: (message) => void work(message.data) },
 * });
 * ```
 * @throws ConfigurationError that lists every mistake in the options.
 */
export function postgres(options: PostgresOptions): Producer<QueuePayload, PostgresMetadata> {
  checkPostgresOptions(options);
  return {
    name: "postgres",
    async open(context) {
      await options.queue.open();
      return new PostgresSession(context, options);
    },
  };
}

/** Leases on demand, and remembers what it holds. */
class PostgresSession implements ProducerSession<QueuePayload, PostgresMetadata> {
  readonly lease: number;
  readonly idle: number;
  readonly #queue: PostgresQueue;
  readonly #context: ProducerContext;
  readonly #options: PostgresOptions;
  readonly #policy: FailurePolicy;
  readonly #owner = new Owner();
  readonly #held = new Set<LeasedMessage>();
  readonly #forget: () => void;
  #draining = false;

  constructor(context: ProducerContext, options: PostgresOptions) {
    this.lease = options.lease ?? 30_000;
    this.idle = options.idle ?? 1_000;
    this.#queue = options.queue;
    this.#context = context;
    this.#options = options;
    this.#policy = {
      onFailure: options.onFailure ?? "retry",
      retryDelay: options.retryDelay ?? 10_000,
      pipeline: context.pipeline,
      source: context.source,
    };
    this.#forget = this.#queue.onReady(() => context.wake());
  }

  async pull(demand: Demand, signal: AbortSignal): Promise<readonly LeasedMessage[] | null> {
    if (this.#draining || signal.aborted) return [];
    try {
      const messages = await this.#queue.lease({
        limit: demand.messages,
        bytes: demand.bytes,
        duration: this.lease,
        owner: this.#owner,
      });
      for (const message of messages) this.#held.add(message);
      if (messages.length > 0 || this.#options.finite !== true) return messages;
      return (await this.#queue.isEmpty()) ? null : [];
    } catch (error) {
      // A server that is away comes back: no reason to use up the pipeline's restarts. The next pull is made after `idle`.
      if (retryable(error) !== true) throw error;
      this.#context.telemetry("disconnected", { code: (error as { code?: unknown }).code });
      return [];
    }
  }

  async acknowledge(
    settled: Settled<PostgresMetadata>,
  ): Promise<AcknowledgeResult<PostgresMetadata>> {
    const result = await acknowledge(this.#queue, settled, this.#policy);
    for (const { incoming } of [...settled.succeeded, ...settled.failed]) {
      this.#held.delete(incoming as LeasedMessage);
    }
    if (result !== undefined) {
      this.#context.telemetry("leaseLost", { count: result.refused.length });
    }
    return result;
  }

  async release(messages: readonly LeasedMessage[]): Promise<void> {
    await this.#giveBack(messages, true);
  }

  async extend(messages: readonly LeasedMessage[], milliseconds: number): Promise<void> {
    await this.#queue.extend(messages, milliseconds);
  }

  drain(): void {
    this.#draining = true;
  }

  /** What was never acknowledged may have been worked on: it is given back, and the attempt counts. */
  async close(): Promise<void> {
    this.#forget();
    await this.#giveBack([...this.#held], false);
  }

  async #giveBack(messages: readonly LeasedMessage[], refund: boolean): Promise<void> {
    if (messages.length === 0) return;
    await this.#queue.giveBack(messages, refund);
    for (const message of messages) this.#held.delete(message);
  }
}
