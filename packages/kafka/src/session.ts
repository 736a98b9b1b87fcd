import type {
  AcknowledgeResult,
  Demand,
  Incoming,
  ProducerContext,
  ProducerSession,
  Settled,
} from "westend";
import { Acknowledger } from "./acknowledger.ts";
import { Assignments } from "./assignments.ts";
import type { KafkaDriver, TopicPartition, TransactionClient } from "./client.ts";
import { Delays } from "./delays.ts";
import { isFence } from "./errors.ts";
import { Fetcher } from "./fetcher.ts";
import type { KafkaMessage, KafkaMetadata } from "./message.ts";
import { Monitor } from "./monitor.ts";
import type { KafkaOptions } from "./options.ts";
import type { Partition } from "./partition.ts";
import type { Run } from "./run.ts";
import { type PartitionStats, statsOf } from "./stats.ts";
import { timeoutsOf } from "./timeouts.ts";
import { Transactions } from "./transactions.ts";

/** How much of the room there is one partition may take while there are others: four times what it leaves. */
const SHARE = 4;
/** Bytes of failed messages that wait to be handed over again, of all partitions: as much as a pipeline holds by default. */
const MOST_WAITING = 64 * 2 ** 20;
/** Milliseconds a last commit may take. */
const LAST_COMMIT = 5000;
/** Bytes of one partition in one request of a transaction. */
const TRANSACTION_BATCH = 1_000_000;

/** A member of the group: fetches ahead, hands over on demand, commits what has ended. */
export class KafkaSession implements ProducerSession<Buffer | null, KafkaMetadata> {
  /** It says itself when there is something. */
  readonly idle: number = Infinity;
  readonly #driver: KafkaDriver;
  readonly #context: ProducerContext;
  readonly #options: KafkaOptions;
  /** All that are open of its producer. */
  readonly #sessions: Set<KafkaSession>;
  readonly #run: Run;
  readonly #transactions: Transactions | undefined;
  readonly #acknowledger: Acknowledger;
  readonly #fetcher: Fetcher;
  readonly #assignments: Assignments;
  readonly #monitor: Monitor;
  readonly #delays: Delays;
  readonly #maxAhead: number;
  /** Who is served first. */
  #turn = 0;
  #draining = false;
  #failure: Error | undefined;

  constructor(
    driver: KafkaDriver,
    context: ProducerContext,
    options: KafkaOptions,
    sessions: Set<KafkaSession>,
    run: Run,
    transactionClient?: TransactionClient,
  ) {
    this.#driver = driver;
    this.#context = context;
    this.#options = options;
    this.#sessions = sessions;
    this.#run = run;
    this.#maxAhead = options.maxAhead ?? 10_000;
    const { clock } = context;
    this.#transactions =
      transactionClient &&
      new Transactions({
        driver,
        client: transactionClient,
        batchBytes: TRANSACTION_BATCH,
        failed: (error) => this.#fail(error),
        replaced: () => run.isReplaced(context),
      });
    const partitions = (): Iterable<Partition> => this.#assignments.live();
    const troubled = (error: Error): void => context.telemetry("trouble", { error });
    this.#acknowledger = new Acknowledger({
      clock,
      driver,
      commitInterval: options.commitInterval ?? (transactionClient ? 100 : 1000),
      transactions: this.#transactions,
      onFailure: options.onFailure ?? "retry",
      retryDelay: options.retryDelay ?? 10_000,
      partitions,
      redeliver: (message) => this.#redeliver([message]),
      lost: (lost) => void this.#assignments.revoke(lost, true),
      passedOver: (count) => {
        this.#monitor.progressed(count);
        context.telemetry("passedOver", { count });
      },
      troubled,
    });
    this.#fetcher = new Fetcher({
      clock,
      driver,
      maxBytesPerPartition: options.fetch?.maxBytesPerPartition ?? 2 ** 20,
      partitions,
      wants: ({ tracker }) => !this.#draining && tracker.ahead < this.#maxAhead,
      arrived: () => context.wake(),
      outOfRange: (partition) => void this.#assignments.reset(partition),
      troubled,
    });
    this.#assignments = new Assignments({
      driver,
      context,
      from: options.from ?? "earliest",
      ignoreCommitted: options.ignoreCommitted ?? false,
      begun: run.begun,
      finite: options.finite ?? false,
      orderBy: options.orderBy ?? "key",
      revokeTimeout: timeoutsOf(options).revoke,
      outbox: () => this.#transactions?.outbox(),
      flush: (gone) => this.#acknowledger.flush(gone, RETRY),
      changed: () => {
        this.#acknowledger.schedule();
        this.#fetcher.kick();
        this.#wake();
      },
      troubled,
    });
    this.#delays = new Delays(clock, options.delayed ?? [], () => context.wake());
    this.#monitor = new Monitor({
      context,
      sessionTimeout: timeoutsOf(options).session,
      progressTimeout: options.progressTimeout ?? 60_000,
      partitions: () => this.partitions(),
      refresh: () => void this.#refresh().catch(troubled),
    });
  }

  /** @throws KafkaError if the cluster cannot be reached or the group not be joined. */
  async start(): Promise<void> {
    if (this.#options.tls !== undefined) this.#warnOfTls();
    try {
      await this.#driver.connect();
      await this.#transactions?.open();
      await this.#driver.join({
        joining: () => this.#assignments.joining(),
        assigned: (partitions) => void this.#assignments.assign(partitions),
        revoked: (partitions, lost) => this.#assignments.revoke(partitions, lost),
        troubled: (error) => this.#context.telemetry("trouble", { error }),
        failed: (error) => this.#fail(error),
      });
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#monitor.start();
  }

  pull(demand: Demand): readonly Incoming<Buffer | null, KafkaMetadata>[] | null {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#draining) return [];
    const messages = this.#take(demand);
    this.#fetcher.kick();
    if (messages.length > 0) return messages;
    // Something may have been passed over: done before, or never to be seen.
    this.#acknowledger.schedule();
    // What another one has given up may be about to become ours.
    const isOver = [...this.#members()].every((member) => member.#assignments.finished);
    if (!isOver) return messages;
    // They have come to their ends before, and nothing else would tell them.
    this.#wake();
    return null;
  }

  acknowledge(settled: Settled<KafkaMetadata>): AcknowledgeResult<KafkaMetadata> {
    const refused = this.#acknowledger.acknowledge(settled);
    this.#monitor.progressed(settled.succeeded.length);
    if (refused !== undefined) {
      this.#context.telemetry("ownershipLost", { count: refused.refused.length });
    }
    // A partition that was too far ahead may go on.
    this.#fetcher.kick();
    this.#wake();
    return refused;
  }

  /** Nothing was begun of these: they stay what they were, before everything else of their partition. */
  release(messages: readonly Incoming<Buffer | null, KafkaMetadata>[]): void {
    for (const message of messages as readonly KafkaMessage[]) {
      if (!message.done) message.owner.cameBack(message);
    }
    this.#redeliver(messages as readonly KafkaMessage[]);
  }

  drain(): void {
    this.#draining = true;
  }

  async close(): Promise<void> {
    this.#draining = true;
    this.#monitor.end();
    this.#delays.end();
    this.#fetcher.end();
    this.#acknowledger.end();
    this.#sessions.delete(this);
    try {
      await this.#acknowledger.flush([...this.#assignments.live()], LAST_COMMIT);
      this.#assignments.end();
      // Without it the group would wait for the session to run out.
      await this.#driver.leave();
    } catch {
      // The brokers are out of reach: they will notice by themselves.
    } finally {
      this.#assignments.end();
      await this.#transactions?.close();
      await this.#driver.close();
    }
  }

  /** Of every member in this run of the pipeline: each knows its own partitions only. */
  remaining(): number {
    let sum = 0;
    for (const member of this.#members()) {
      for (const { end, tracker } of member.#assignments.live()) {
        sum += Math.max(0, end - tracker.position);
      }
    }
    return sum;
  }

  get ready(): boolean {
    return this.#monitor.ready;
  }

  partitions(): PartitionStats[] {
    const date = this.#context.clock.date();
    return [...this.#assignments.live()].map((partition) => statsOf(partition, date));
  }

  owns(where: TopicPartition): boolean {
    return this.#assignments.find(where) !== undefined;
  }

  pause(partitions: readonly TopicPartition[], paused: boolean): void {
    for (const where of partitions) {
      const partition = this.#assignments.find(where);
      if (partition !== undefined) partition.paused = paused;
    }
    this.#fetcher.kick();
    this.#context.wake();
  }

  /** False if it is not ours, or not by the time it could be done. */
  seek(where: TopicPartition, offset: number): Promise<boolean> {
    return this.#assignments.seek(where, offset);
  }

  /** All sessions in this run of the pipeline. */
  *#members(): Generator<KafkaSession> {
    const { signal } = this.#context;
    for (const member of this.#sessions) if (member.#context.signal === signal) yield member;
  }

  /** With a finite source the others may be at their end if this one is. */
  #wake(): void {
    if (this.#options.finite !== true) this.#context.wake();
    else for (const member of this.#members()) member.#context.wake();
  }

  /** Serves the partitions in turn. */
  #take({ messages: most, bytes: room }: Demand): KafkaMessage[] {
    const partitions = [...this.#assignments.live()];
    const taken: KafkaMessage[] = [];
    let bytes = room;
    let waiting = partitions.length;
    // A round gives each so many that two rounds serve all.
    const portion = Math.max(1, Math.ceil(most / Math.max(1, partitions.length)));
    const share = this.#waitingShare();
    while (waiting > 0 && taken.length < most && bytes > 0) {
      waiting = 0;
      const first = this.#turn++;
      for (let index = 0; index < partitions.length; index++) {
        const partition = partitions[(first + index) % partitions.length] as Partition;
        const limit = Math.min(taken.length + portion, most);
        while (
          taken.length < limit &&
          this.#mayGive(partition, partitions.length, most - taken.length, share)
        ) {
          const message = partition.peek() as KafkaMessage;
          // At least one, however large it is.
          if (message.size > bytes && taken.length > 0) return taken;
          partition.shift();
          bytes -= message.size;
          taken.push(message);
        }
        if (taken.length === limit) waiting++;
      }
    }
    return taken;
  }

  /** Bytes of failed messages that each partition may have waiting, of those of all sessions. */
  #waitingShare(): number {
    let partitions = 0;
    for (const member of this.#members()) partitions += member.#assignments.size;
    return MOST_WAITING / Math.max(1, partitions);
  }

  /** While there are others none may take everything: its messages may wait for one another, by key or for a retry. */
  #mayGive(partition: Partition, partitions: number, room: number, share: number): boolean {
    if (partition.paused || partition.leaving || partition.peek() === undefined) return false;
    if (partition.hasAgain) return true;
    if (this.#delays.holds(partition)) return false;
    if (partition.tracker.ahead >= this.#maxAhead) return false;
    // They are in nobody's budget any more.
    if (partition.waiting >= share) return false;
    return partitions === 1 || partition.out < SHARE * room;
  }

  #redeliver(messages: readonly KafkaMessage[]): void {
    for (const message of messages) {
      if (!message.owner.gone && !message.done) message.owner.redeliver(message);
    }
    this.#context.wake();
  }

  /** What is paused, or full, does not tell by itself how much has come behind it. */
  async #refresh(): Promise<void> {
    const resting = [...this.#assignments.live()].filter(({ polling }) => !polling);
    if (resting.length === 0) return;
    const ends = await this.#driver.offsets(resting, "latest");
    for (const [index, partition] of resting.entries()) {
      partition.end = Math.max(partition.end, ends[index] ?? 0);
    }
  }

  #fail(error: Error): void {
    this.#failure = error;
    if (isFence(error)) this.#run.fenced(this.#context, error);
    this.#context.wake();
    void this.#giveUp();
  }

  /** It reads no more, and is closed when its last message has ended; others are not to wait for that one, which may hang. */
  async #giveUp(): Promise<void> {
    await this.#assignments.revoke([...this.#assignments.live()], false);
    this.#assignments.end();
    try {
      await this.#driver.leave();
    } catch {
      // The brokers are out of reach: they will notice by themselves.
    } finally {
      await this.#driver.close();
    }
  }

  #warnOfTls(): void {
    const { tls } = this.#options;
    if (typeof tls === "object" && tls.rejectUnauthorized === false) {
      this.#context.telemetry("insecureTls", {});
    }
  }
}

/** Milliseconds a commit is tried for when partitions are given away. */
const RETRY = 3000;
