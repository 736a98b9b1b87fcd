import type { Message, Producer } from "westend";
import { checkKafkaOptions } from "./check-options.ts";
import type { TopicPartition } from "./client.ts";
import { listOf } from "./connection.ts";
import type { KafkaMetadata } from "./message.ts";
import type { KafkaOptions } from "./options.ts";
import { platformaticDriver } from "./platformatic/driver.ts";
import { PlatformaticTransactionClient } from "./platformatic/transaction-client.ts";
import type { NewKafkaRecord } from "./record.ts";
import { Run } from "./run.ts";
import { KafkaSession } from "./session.ts";
import { stage } from "./stage.ts";
import type { PartitionStats } from "./stats.ts";
import { timeoutsOf } from "./timeouts.ts";

/** Topics as a source, and a hold on its partitions while a pipeline runs. */
export interface KafkaProducer extends Producer<Buffer | null, KafkaMetadata> {
  /** False while a pipeline that reads from it makes no progress, though there is something to do (`progressTimeout`). */
  readonly ready: boolean;
  /** The partitions this process has been given, with how far they have come. */
  partitions(): readonly PartitionStats[];
  /**
   * Takes nothing more of these until `resume`; what was taken goes on, and so do other partitions.
   * Those that are not ours are passed over; one that goes away and comes back is not paused.
   */
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /**
   * Goes on from this offset: what runs of the partition may finish, then it is committed from there. Resolves when it goes on.
   * @throws RangeError if the offset is negative, or the partition is not ours or goes away before.
   */
  seek(partition: TopicPartition, offset: bigint): Promise<void>;
  /**
   * Sends a record for each message in the transaction that commits the message: both are there for others (that read what is
   * committed), or neither. Needs `transactionalId`. Has to be the last thing a batch handler does, with the signal of that handler:
   * a handler that fails after it sends twice. Fails messages whose record cannot be made or is too large, and those that `ackNow` has
   * acknowledged.
   */
  sendInTransaction<Data, Metadata>(
    messages: readonly Message<Data, Metadata>[],
    record: (message: Message<Data, Metadata>) => NewKafkaRecord,
    signal: AbortSignal,
  ): Promise<void>;
}

/**
 * Kafka topics as a source. Each session is a member of a consumer group; what has ended is committed, and never more than that.
 * @example
 * ```ts
 * const events = definePipeline({
 *   name: "events",
 *   producer: kafka({ brokers: ["localhost:9092"], groupId: "my_app_events", topics: ["events"] }),
 *   decoder: json(),
 *   processor: { concurrency: 10, handle: (message) => void work(message.data) },
 * });
 * ```
 * @throws ConfigurationError that lists every mistake in the options.
 */
export function kafka(options: KafkaOptions): KafkaProducer {
  checkKafkaOptions(options);
  const sessions = new Set<KafkaSession>();
  const runs = new WeakMap<AbortSignal, Run>();
  const factory = options.driver ?? platformaticDriver(options);
  const { session, rebalance, heartbeat } = timeoutsOf(options);
  return {
    name: "kafka",
    get ready() {
      return [...sessions].every(({ ready }) => ready);
    },
    partitions: () => [...sessions].flatMap((one) => one.partitions()),
    pause(partitions) {
      for (const one of sessions) one.pause(partitions, true);
    },
    resume(partitions) {
      for (const one of sessions) one.pause(partitions, false);
    },
    async seek(partition, offset) {
      if (offset < 0n) throw new RangeError(`seek: the offset must be at least 0, not ${offset}`);
      const owner = [...sessions].find((one) => one.owns(partition));
      if (await owner?.seek(partition, Number(offset))) return;
      const { topic, partition: number } = partition;
      throw new RangeError(`seek: partition ${number} of ${topic} does not belong to this process`);
    },
    sendInTransaction: stage,
    async open(context) {
      const run = runs.get(context.signal) ?? new Run();
      runs.set(context.signal, run);
      run.open(context);
      const { fetch = {}, groupInstanceId, delayed = [] } = options;
      const driver = factory({
        groupId: options.groupId,
        // Every session is a member of its own.
        groupInstanceId:
          groupInstanceId === undefined || context.index === 0
            ? groupInstanceId
            : `${groupInstanceId}-${context.index}`,
        topics: [...listOf(options.topics), ...delayed.map(({ topic }) => topic)],
        isolation: options.isolation ?? "committed",
        sessionTimeout: session,
        rebalanceTimeout: rebalance,
        heartbeatInterval: heartbeat,
        minBytes: fetch.minBytes ?? 1,
        maxBytes: fetch.maxBytes ?? 8 * 2 ** 20,
        maxWait: fetch.maxWait ?? 500,
        maxMessageBytes: options.maxMessageBytes ?? 2 ** 20,
        maxHeaders: options.maxHeaders ?? 256,
        maxBatchBytes: options.maxBatchBytes ?? 16 * 2 ** 20,
      });
      const opened = new KafkaSession(
        driver,
        context,
        options,
        sessions,
        run,
        transactionClientOf(options, context.index),
      );
      await opened.start();
      sessions.add(opened);
      return opened;
    },
  };
}

function transactionClientOf(
  options: KafkaOptions,
  index: number,
): PlatformaticTransactionClient | undefined {
  if (options.transactionalId === undefined) return undefined;
  // Every session has transactions of its own.
  const suffix = index === 0 ? "" : `-${index}`;
  const transactionalId = `${options.transactionalId}${suffix}`;
  return new PlatformaticTransactionClient({ ...options, transactionalId });
}
