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
import { checkSqliteOptions } from "./check-options.ts";
import { GROUP } from "./pending-work.ts";
import type { LeasedMessage, SqliteMetadata } from "./leased-message.ts";
import type { OpenedQueue } from "./opened-queue.ts";
import type { SqliteOptions } from "./options.ts";
import { SqliteQueue } from "./queue.ts";
import { ReadyGauge } from "./ready-gauge.ts";
import { Owner } from "./token.ts";

/**
 * A queue in a SQLite file as a source. Messages are leased, kept while they are being worked on, and deleted when they are
 * acknowledged; if the process dies others get them when the lease runs out.
 * @example
 * ```ts
 * const jobs = definePipeline({
 *   name: "jobs",
 *   producer: sqlite({ path: "jobs.db" }),
 *   decoder: json(),
 *   processor: { concurrency: 4, handle: (message) => void work(message.data) },
 * });
 * ```
 * @throws ConfigurationError that lists every mistake in the options.
 */
export function sqlite(options: SqliteOptions): Producer<QueuePayload, SqliteMetadata> {
  checkSqliteOptions(options);
  return {
    name: "sqlite",
    async open(context) {
      const { clock } = context;
      const queue = options.queue ?? new SqliteQueue({ ...options, clock });
      return new SqliteSession(await queue.opened(), queue, context, options);
    },
  };
}

/** Leases on demand, and remembers what it holds. */
class SqliteSession implements ProducerSession<QueuePayload, SqliteMetadata> {
  readonly lease: number;
  readonly idle: number;
  readonly #queue: OpenedQueue;
  readonly #definition: SqliteQueue;
  readonly #context: ProducerContext;
  readonly #options: SqliteOptions;
  readonly #policy: FailurePolicy;
  readonly #owner = new Owner();
  readonly #held = new Set<LeasedMessage>();
  readonly #gauge: ReadyGauge;
  readonly #forget: () => void;
  #draining = false;

  constructor(
    queue: OpenedQueue,
    definition: SqliteQueue,
    context: ProducerContext,
    options: SqliteOptions,
  ) {
    this.lease = options.lease ?? 30_000;
    this.idle = options.idle ?? 100;
    this.#queue = queue;
    this.#definition = definition;
    this.#context = context;
    this.#options = options;
    this.#policy = {
      onFailure: options.onFailure ?? "retry",
      retryDelay: options.retryDelay ?? 10_000,
      pipeline: context.pipeline,
      source: context.source,
    };
    this.#gauge = new ReadyGauge(queue);
    this.#forget = queue.onReady(() => context.wake());
  }

  async pull(demand: Demand, signal: AbortSignal): Promise<readonly LeasedMessage[] | null> {
    if (this.#draining || signal.aborted) return [];
    if (!this.#queue.anyDue()) {
      return this.#options.finite === true && this.#queue.isEmpty() ? null : [];
    }
    const messages = await this.#lease(demand, signal);
    for (const message of messages) this.#held.add(message);
    // What was looked at belongs to keys of others; behind it there may be more.
    if (messages.length === 0 && this.#queue.anyDue()) {
      this.#context.clock.defer(() => this.#context.wake());
    }
    return messages;
  }

  async #lease(demand: Demand, signal: AbortSignal): Promise<LeasedMessage[]> {
    try {
      return await this.#queue.lease({
        limit: Math.min(demand.messages, GROUP),
        bytes: demand.bytes,
        owner: this.#owner,
        duration: this.lease,
        signal,
      });
    } catch (error) {
      if (signal.aborted) return [];
      throw error;
    }
  }

  async acknowledge(settled: Settled<SqliteMetadata>): Promise<AcknowledgeResult<SqliteMetadata>> {
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
    const { connection, settlement } = this.#queue;
    for (const group of groupsOf(messages)) {
      const extend = (): unknown =>
        settlement.extend(group, this.#queue.now + Math.ceil(milliseconds));
      await connection.write(extend, { weight: group.length });
    }
  }

  drain(): void {
    this.#draining = true;
  }

  /** What was never acknowledged may have been worked on: it is given back, and the attempt counts. */
  async close(): Promise<void> {
    this.#forget();
    try {
      await this.#giveBack([...this.#held], false);
    } finally {
      if (this.#options.queue === undefined) await this.#definition.close();
    }
  }

  remaining(): number | undefined {
    return this.#gauge.read();
  }

  async #giveBack(messages: readonly LeasedMessage[], refund: boolean): Promise<void> {
    const { connection, settlement } = this.#queue;
    for (const group of groupsOf(messages)) {
      await connection.write(() => settlement.release(group, refund), { weight: group.length });
      for (const message of group) this.#held.delete(message);
    }
    if (messages.length > 0) this.#queue.enqueued();
  }
}

function* groupsOf<Each>(messages: readonly Each[]): Generator<readonly Each[]> {
  for (let start = 0; start < messages.length; start += GROUP) {
    yield messages.slice(start, start + GROUP);
  }
}
