import type {
  CommitResult,
  Fetched,
  GroupEvents,
  GroupMember,
  KafkaDriver,
  KafkaDriverFactory,
  KafkaDriverOptions,
  Position,
  TopicPartition,
  Wanted,
} from "../client.ts";
import { type ClientConnection, clientConnection } from "../connection.ts";
import type { Codecs } from "../decompress.ts";
import { KafkaError } from "../errors.ts";
import type { KafkaConnectionOptions, KafkaStart } from "../options.ts";
import { withEachFirst } from "./each-first.ts";
import { explain, isKafkaError } from "./failures.ts";
import { fetchRecords } from "./fetch.ts";
import {
  type Connection,
  type ConnectionPool,
  type Consumer,
  type Library,
  loadLibrary,
} from "./library.ts";
import { Membership } from "./membership.ts";
import { commitOffsets, committedOffsets, listedOffsets } from "./offsets.ts";
import { Protocol } from "./protocol.ts";
import { within } from "./within.ts";

/** Milliseconds beyond the longest wait we ask for, after which a connection is taken for dead. */
const GRACE = 10_000;
/** Milliseconds that leaving the group may take. */
const FAREWELL = 3000;
const LARGEST_BACKOFF = 1000;
/** Milliseconds a broker may wait while there is more to ask it for. */
const SHORT_WAIT = 10;

/** Drivers over \@platformatic/kafka for one set of connection options. */
export function platformaticDriver(connection: KafkaConnectionOptions): KafkaDriverFactory {
  return (options) => new PlatformaticDriver(clientConnection(connection), options);
}

/** What there is once the cluster has been reached. */
interface Connected {
  readonly library: Library;
  readonly consumer: Consumer;
  readonly protocol: Protocol;
  /** Of their own: a broker answers one request of a connection after the other, and a fetch waits. */
  readonly fetching: ConnectionPool;
  readonly codecs: Codecs;
}

class PlatformaticDriver implements KafkaDriver {
  readonly #connection: ClientConnection;
  readonly #options: KafkaDriverOptions;
  #connected: Connected | undefined;
  #membership: Membership | undefined;

  constructor(connection: ClientConnection, options: KafkaDriverOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  async connect(): Promise<void> {
    const library = await loadLibrary();
    try {
      this.#connected = await withEachFirst(this.#connection, (connection) =>
        this.#connectBy(library, connection),
      );
    } catch (error) {
      const brokers = this.#connection.bootstrapBrokers.map(({ host, port }) => `${host}:${port}`);
      throw explain(`connecting to ${brokers.join(", ")}`, error);
    }
  }

  async #connectBy(library: Library, connection: ClientConnection): Promise<Connected> {
    const consumer = this.#consumer(library, connection);
    const fetching = this.#pool(library, connection);
    try {
      // A request to join may wait for long; a first question may not.
      const asked = this.#findTopics(consumer).then(() => Protocol.negotiate(library, consumer));
      const protocol = await within(asked, 2 * connection.connectTimeout);
      const { snappy, lz4 } = library.compressionsAlgorithms;
      const codecs: Codecs = {
        snappy: (data) => snappy.decompressSync(data),
        lz4: (data) => lz4.decompressSync(data),
      };
      return { library, consumer, protocol, fetching, codecs };
    } catch (error) {
      await hangUp(consumer, fetching);
      throw error;
    }
  }

  async join(events: GroupEvents): Promise<void> {
    this.#membership = new Membership(this.#now.consumer, this.#options, events);
    await this.#membership.join();
  }

  async leaders(
    partitions: readonly TopicPartition[],
  ): Promise<ReadonlyMap<number, readonly TopicPartition[]>> {
    const { topics } = await this.#metadata();
    const leaders = new Map<number, TopicPartition[]>();
    let headless = false;
    for (const one of partitions) {
      const leader = topics.get(one.topic)?.partitions[one.partition]?.leader ?? -1;
      if (leader < 0) {
        headless = true;
        continue;
      }
      const led = leaders.get(leader);
      if (led === undefined) leaders.set(leader, [one]);
      else led.push(one);
    }
    // A new leader is known only to who asks again.
    if (headless) this.#now.consumer.clearMetadata();
    return leaders;
  }

  async poll(broker: number, wanted: readonly Wanted[], soon = false): Promise<readonly Fetched[]> {
    const { fetching, protocol, consumer, codecs } = this.#now;
    const { brokers, topics } = await this.#metadata();
    const address = brokers.get(broker);
    if (address === undefined) return wanted.map((one) => moved(one));
    try {
      const connection = await fetching.get(address);
      const { maxWait } = this.#options;
      const limits = { ...this.#options, maxWait: soon ? Math.min(SHORT_WAIT, maxWait) : maxWait };
      const ids = new Map([...topics].map(([name, topic]) => [name, topic?.id ?? ""]));
      const all = await fetchRecords(connection, protocol, wanted, ids, limits, codecs);
      if (all.some(({ problem }) => problem === "moved")) consumer.clearMetadata();
      return all;
    } catch (error) {
      // Whoever leads these now is somewhere else, perhaps.
      consumer.clearMetadata();
      throw explain(`fetching from ${address.host}:${address.port}`, error);
    }
  }

  async commit(positions: readonly Position[]): Promise<readonly CommitResult[]> {
    const { consumer, protocol } = this.#now;
    const { memberId, generationId } = consumer;
    const { groupId, groupInstanceId = null } = this.#options;
    if (memberId === null) return positions.map(() => "lost");
    const member = { groupId, memberId, generationId, groupInstanceId };
    const results = await commitOffsets(await this.#coordinator(), protocol, member, positions);
    // Refused because we have joined anew meanwhile, and may have kept them.
    if (consumer.memberId === memberId && consumer.generationId === generationId) return results;
    return results.map((result) => (result === "lost" ? "retry" : result));
  }

  async committed(partitions: readonly TopicPartition[]): Promise<readonly Position[]> {
    const { protocol } = this.#now;
    return committedOffsets(await this.#coordinator(), protocol, this.#options.groupId, partitions);
  }

  async member(): Promise<GroupMember | undefined> {
    const { consumer } = this.#now;
    const { memberId, generationId } = consumer;
    if (memberId === null) return undefined;
    const coordinatorId = await consumer.findGroupCoordinator();
    return { groupId: this.#options.groupId, memberId, generationId, coordinatorId };
  }

  isStill({ memberId, generationId }: GroupMember): boolean {
    const consumer = this.#connected?.consumer;
    return consumer?.memberId === memberId && consumer.generationId === generationId;
  }

  async offsets(partitions: readonly TopicPartition[], at: KafkaStart): Promise<readonly number[]> {
    return listedOffsets(this.#now.consumer, partitions, at);
  }

  async leave(): Promise<void> {
    this.#membership?.end();
    const { consumer } = this.#now;
    // A member with a name of its own is expected back.
    if (this.#options.groupInstanceId !== undefined) await consumer.connections.close();
    else await within(consumer.leaveGroup(true), FAREWELL);
  }

  async close(): Promise<void> {
    this.#membership?.end();
    if (this.#connected === undefined) return;
    const { consumer, fetching } = this.#connected;
    this.#connected = undefined;
    await hangUp(consumer, fetching);
  }

  get #now(): Connected {
    if (this.#connected !== undefined) return this.#connected;
    throw new KafkaError("KAFKA_UNREACHABLE", "Kafka: the connection is closed");
  }

  #metadata(): ReturnType<Consumer["metadata"]> {
    return this.#now.consumer.metadata({ topics: [...this.#options.topics] });
  }

  async #coordinator(): Promise<Connection> {
    const { consumer } = this.#now;
    const id = await consumer.findGroupCoordinator();
    const { brokers } = await this.#metadata();
    const broker = brokers.get(id);
    if (broker !== undefined) return consumer.connections.get(broker);
    throw new KafkaError("KAFKA_UNREACHABLE", "Kafka: the coordinator of the group is not there");
  }

  async #findTopics(consumer: Consumer): Promise<void> {
    try {
      await consumer.metadata({ topics: [...this.#options.topics], forceUpdate: true });
    } catch (error) {
      if (!isMissingTopic(error)) throw error;
      const names = this.#options.topics.join(", ");
      throw new KafkaError(
        "KAFKA_TOPIC_MISSING",
        `Kafka: a topic is not there: ${(error as Error).message} Asked for: ${names}. Create it, or correct \`topics\``,
        { cause: error },
      );
    }
  }

  #consumer(library: Library, connection: ClientConnection): Consumer {
    const { groupId, groupInstanceId, rebalanceTimeout, sessionTimeout } = this.#options;
    const consumer = new library.Consumer({
      ...connection,
      groupId,
      groupInstanceId,
      sessionTimeout,
      rebalanceTimeout,
      heartbeatInterval: this.#options.heartbeatInterval,
      isolationLevel: this.#options.isolation === "committed" ? 1 : 0,
      autocommit: false,
      retries: 2,
      retryDelay: (_: unknown, __: unknown, attempt: number) =>
        Math.min(LARGEST_BACKOFF, 100 * 2 ** attempt) * (0.5 + Math.random() / 2),
      // The answer to a request to join comes when all others have joined too.
      requestTimeout: rebalanceTimeout + GRACE,
    });
    ignoreErrors(consumer.connections);
    return consumer;
  }

  #pool(library: Library, connection: ClientConnection): ConnectionPool {
    const requestTimeout = this.#options.maxWait + GRACE;
    const pool = new library.ConnectionPool(connection.clientId, { ...connection, requestTimeout });
    ignoreErrors(pool);
    return pool;
  }
}

/** Nothing is waited for any more, least of all a peer that does not answer. */
async function hangUp(consumer: Consumer, fetching: ConnectionPool): Promise<void> {
  for (const pool of [consumer.connections, fetching]) {
    for (const [, { socket }] of pool) socket?.destroy();
  }
  await Promise.allSettled([consumer.close(true), fetching.close()]);
}

/** What waits for a connection is told of its end; an event that nobody listens to would end the process. */
function ignoreErrors(pool: ConnectionPool): void {
  pool.on("connecting", ({ connection }) => connection.on("error", () => undefined));
}

function isMissingTopic(error: unknown): boolean {
  return (
    (error as Error).message.startsWith("Unknown topic ") ||
    isKafkaError(error, "UNKNOWN_TOPIC_OR_PARTITION")
  );
}

function moved({ topic, partition }: Wanted): Fetched {
  return { topic, partition, problem: "moved", end: -1, records: undefined };
}
