import type { Clock, Refused, Settled, SettledMessage, Timer } from "westend";
import type { KafkaDriver, Position } from "./client.ts";
import { KafkaError } from "./errors.ts";
import type { KafkaAckOptions, KafkaMessage, KafkaMetadata } from "./message.ts";
import type { Commit } from "./offset-tracker.ts";
import type { Partition } from "./partition.ts";
import type { Transactions } from "./transactions.ts";

/** Kafka's own default of `offset.metadata.max.bytes`. */
const MAX_METADATA = 4096;
/** Milliseconds between tries of a commit that somebody waits for. */
const RETRY_WAIT = 100;

export interface AcknowledgerOptions {
  readonly clock: Clock;
  readonly driver: KafkaDriver;
  readonly commitInterval: number;
  /** Commits with what was sent in transactions, if there are any. */
  readonly transactions: Transactions | undefined;
  readonly onFailure: "retry" | "commit";
  readonly retryDelay: number;
  /** The partitions that are ours. */
  partitions(): Iterable<Partition>;
  /** The message is to be handed over again. */
  redeliver(message: KafkaMessage): void;
  /** The group does not take us for the owner any more. */
  lost(partitions: readonly Partition[]): void;
  passedOver(count: number): void;
  troubled(error: Error): void;
}

/** Notes what has ended, and commits it now and then. */
export class Acknowledger {
  readonly #options: AcknowledgerOptions;
  #maxMetadata = MAX_METADATA;
  #timer: Timer | undefined;
  /** Of messages that failed and wait to be handed over again. */
  readonly #delayed = new Set<Timer>();
  #committing: Promise<boolean> = Promise.resolve(true);
  #ended = false;

  constructor(options: AcknowledgerOptions) {
    this.#options = options;
    // What is done beyond a commit is not written before it: a restart must not pass it over.
    if (options.transactions !== undefined) this.#maxMetadata = 0;
  }

  /** Takes note; what is not ours any more is refused. Others have it, or will have. */
  acknowledge({ succeeded, failed }: Settled<KafkaMetadata>): Refused<KafkaMetadata> | undefined {
    let refused: SettledMessage<KafkaMetadata>[] | undefined;
    for (const ended of succeeded) {
      const message = ended.incoming as KafkaMessage;
      if (message.owner.gone) (refused ??= []).push(ended);
      else message.owner.tracker.done(message);
    }
    for (const ended of failed) {
      if ((ended.incoming as KafkaMessage).owner.gone) (refused ??= []).push(ended);
    }
    this.#fail(failed);
    this.schedule();
    if (refused === undefined) return undefined;
    return { refused, final: true, reason: new OwnershipLost() };
  }

  /** Commits at the next interval. */
  schedule(): void {
    if (this.#ended) return;
    this.#timer ??= this.#options.clock.setTimer(() => {
      this.#timer = undefined;
      void this.#commit(this.#options.partitions()).then((done) => {
        if (!done) this.schedule();
      });
    }, this.#options.commitInterval);
  }

  /** Commits what these have come to, and tries again for at most so many milliseconds; a broker that does not answer is not waited for. */
  async flush(partitions: readonly Partition[], timeout: number): Promise<void> {
    const { clock } = this.#options;
    const state = { over: false };
    const { promise: up, resolve } = Promise.withResolvers<void>();
    const timer = clock.setTimer(() => {
      state.over = true;
      resolve();
    }, timeout);
    const commit = async (): Promise<void> => {
      while (!(await this.#commit(partitions)) && !state.over) {
        await new Promise<void>((again) => void clock.setTimer(again, RETRY_WAIT));
      }
    };
    await Promise.race([commit(), up]);
    clock.clearTimer(timer);
  }

  end(): void {
    this.#ended = true;
    if (this.#timer !== undefined) this.#options.clock.clearTimer(this.#timer);
    for (const timer of this.#delayed) this.#options.clock.clearTimer(timer);
  }

  #fail(failed: readonly SettledMessage<KafkaMetadata>[]): void {
    let passedOver = 0;
    for (const { incoming, ackOptions } of failed) {
      const message = incoming as KafkaMessage;
      if (message.owner.gone || message.done) continue;
      const { onFailure, retryDelay } = this.#policy(ackOptions);
      if (onFailure === "commit") {
        message.owner.tracker.done(message);
        passedOver++;
      } else {
        this.#redeliver(message, retryDelay);
      }
    }
    if (passedOver > 0) this.#options.passedOver(passedOver);
  }

  #redeliver(message: KafkaMessage, delay: number): void {
    message.owner.cameBack(message);
    message.detach();
    const timer = this.#options.clock.setTimer(() => {
      this.#delayed.delete(timer);
      this.#options.redeliver(message);
    }, delay);
    this.#delayed.add(timer);
  }

  /** What was given to `configureAck`, as far as it makes sense: an acknowledgement is not the place to throw. */
  #policy(options: unknown): { onFailure: "retry" | "commit"; retryDelay: number } {
    const given = (
      typeof options === "object" && options !== null ? options : {}
    ) as KafkaAckOptions;
    const { onFailure, retryDelay } = given;
    return {
      onFailure:
        onFailure === "retry" || onFailure === "commit" ? onFailure : this.#options.onFailure,
      retryDelay:
        typeof retryDelay === "number" && retryDelay >= 0 ? retryDelay : this.#options.retryDelay,
    };
  }

  /** One commit at a time, so that none overtakes another; false if it should be tried again. */
  #commit(partitions: Iterable<Partition>): Promise<boolean> {
    this.#committing = this.#committing.then(() => this.#commitNow(partitions));
    return this.#committing;
  }

  async #commitNow(partitions: Iterable<Partition>): Promise<boolean> {
    const due: { readonly partition: Partition; readonly commit: Commit }[] = [];
    for (const partition of partitions) {
      const commit = partition.gone ? undefined : partition.tracker.commit(this.#maxMetadata);
      if (commit !== undefined) due.push({ partition, commit });
    }
    if (due.length === 0) return true;
    const positions: Position[] = due.map(({ partition, commit }) => ({
      topic: partition.topic,
      partition: partition.partition,
      ...commit,
    }));
    try {
      const { driver, transactions } = this.#options;
      const results = await (transactions?.commit(
        due.map(({ partition }) => partition),
        positions,
      ) ?? driver.commit(positions));
      return this.#committed(due, results);
    } catch (error) {
      this.#options.troubled(error as Error);
      return false;
    }
  }

  #committed(
    due: readonly { readonly partition: Partition; readonly commit: Commit }[],
    results: Awaited<ReturnType<KafkaDriver["commit"]>>,
  ): boolean {
    const lost: Partition[] = [];
    let again = false;
    for (const [index, { partition, commit }] of due.entries()) {
      const result = results[index];
      if (result === "done") partition.tracker.confirm(commit);
      // It may have come back since: what is said of an earlier ownership does not concern that.
      else if (result !== "lost") again = true;
      else if (!partition.gone) lost.push(partition);
      if (result instanceof Error) {
        const where = `${partition.topic}-${partition.partition}`;
        this.#options.troubled(
          new KafkaError(
            "KAFKA_COMMIT",
            `Kafka: the progress in ${where} could not be committed; it is tried again. After a crash what was done meanwhile is done again`,
            { cause: result },
          ),
        );
      }
      // The brokers are set to take less: what does not fit is done again after a restart.
      if (result === "metadataTooLarge") this.#maxMetadata = Math.floor(commit.metadata.length / 2);
    }
    if (lost.length > 0) this.#options.lost(lost);
    return !again;
  }
}

class OwnershipLost extends KafkaError {
  constructor() {
    super(
      "KAFKA_OWNERSHIP_LOST",
      "The partition belongs to another member of the group by now, which handles the message again",
    );
  }
}
