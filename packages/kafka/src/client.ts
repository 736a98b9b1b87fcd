import type { KafkaStart } from "./options.ts";
import type { EncodedRecord } from "./record.ts";

/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** One record as a log holds it. Offsets and timestamps are safe integers. */
export interface KafkaRecord {
  readonly offset: number;
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number;
  /** Of the leader that wrote it. */
  readonly leaderEpoch: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Names and values, in turns; empty if there are none. */
  readonly headers: readonly (Buffer | null)[];
  /** Bytes of key, value and headers. */
  readonly size: number;
  /** Why key, value and headers could not be given, or not be given all; they are null and empty then. */
  readonly defect: Error | undefined;
}

/** Records that were fetched, decoded one by one as they are asked for. */
export interface RecordCursor {
  next(): KafkaRecord | undefined;
  /** The offset behind all of it, gaps and control records included: where to go on fetching. */
  readonly end: number;
  /** Bytes that have not been read yet. */
  readonly bytes: number;
}

/** What is asked of a partition. */
export interface Wanted extends TopicPartition {
  readonly offset: number;
  readonly maxBytes: number;
}

/** What a broker had of a partition. */
export interface Fetched extends TopicPartition {
  /** `outOfRange`: the offset is not there any more, or not yet. `moved`: ask another broker. */
  readonly problem: "outOfRange" | "moved" | Error | undefined;
  /** The offset behind the last record that may be read. */
  readonly end: number;
  readonly records: RecordCursor | undefined;
}

/** How far a group has come in a partition. */
export interface Position extends TopicPartition {
  /** The offset of the next message; -1 if none has been committed. */
  readonly offset: number;
  /** What was stored with it. */
  readonly metadata: string;
}

/**
 * What became of a commit. `lost`: the group does not take this member for the owner any more. `retry`: something passing.
 * An error: trying again does not help.
 */
export type CommitResult = "done" | "lost" | "retry" | "metadataTooLarge" | Error;

/** What a membership in a group brings about. */
export interface GroupEvents {
  /** We are about to join: what others give up may be ours afterwards, and until then nobody has it. */
  joining(): void;
  /** All that belongs to us, each time we have joined: what belonged to us before, too. */
  assigned(partitions: readonly TopicPartition[]): void;
  /**
   * These are to be given away: they stay ours until the promise resolves, and can be committed until then.
   * If they are `lost` they belong to somebody else already.
   */
  revoked(partitions: readonly TopicPartition[], lost: boolean): Promise<void>;
  /** It is being tried again. */
  troubled(error: Error): void;
  /** It will not get better by itself. */
  failed(error: Error): void;
}

/** What we need of a Kafka client: the seam behind which clients can be exchanged. */
export interface KafkaDriver {
  /**
   * Reaches the cluster and finds the topics.
   * @throws KafkaError that says what to do, within seconds.
   */
  connect(): Promise<void>;
  /** Becomes a member of the group and stays one, coming back by itself after whatever happens. */
  join(events: GroupEvents): Promise<void>;
  /** Who leads which of these, by number of the broker. */
  leaders(
    partitions: readonly TopicPartition[],
  ): Promise<ReadonlyMap<number, readonly TopicPartition[]>>;
  /**
   * Asks one broker, which answers as soon as it has something or has waited long enough. A partition that is left out is paused;
   * `soon` if others wait for the answer: then the broker is not to wait for more than a few milliseconds.
   */
  poll(broker: number, wanted: readonly Wanted[], soon?: boolean): Promise<readonly Fetched[]>;
  /** Never throws for what concerns single partitions: there is a result for each, in the same order. */
  commit(positions: readonly Position[]): Promise<readonly CommitResult[]>;
  committed(partitions: readonly TopicPartition[]): Promise<readonly Position[]>;
  /** Who we are in the group at this moment; undefined if we are not in it. */
  member(): Promise<GroupMember | undefined>;
  /** Whether we are who we were then: not if we have joined anew, or left. */
  isStill(member: GroupMember): boolean;
  /** The offsets at which these begin or end, or that a time stands for; in the same order. */
  offsets(partitions: readonly TopicPartition[], at: KafkaStart): Promise<readonly number[]>;
  /** Leaves the group, unless the member has a name that outlives its process. Its partitions are not revoked. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

/** What a driver is told of the source it is for. */
export interface KafkaDriverOptions {
  readonly groupId: string;
  readonly groupInstanceId: string | undefined;
  readonly topics: readonly string[];
  readonly isolation: "committed" | "uncommitted";
  readonly sessionTimeout: number;
  readonly rebalanceTimeout: number;
  readonly heartbeatInterval: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly maxWait: number;
  readonly maxMessageBytes: number;
  readonly maxHeaders: number;
  readonly maxBatchBytes: number;
}

export type KafkaDriverFactory = (options: KafkaDriverOptions) => KafkaDriver;

/** Records of one partition that are written together: all or none of them. */
export interface RecordBatch extends TopicPartition {
  readonly records: readonly EncodedRecord[];
}

/** What became of a batch. `unknown`: it may have been written. */
export type SendResult =
  | "written"
  | {
      readonly outcome: "notWritten" | "unknown";
      /** What the broker called it, such as `MESSAGE_TOO_LARGE`; undefined if it said nothing. */
      readonly brokerError: string | undefined;
      readonly cause: unknown;
    };

/** What we need of a Kafka client to write. */
export interface RecordClient {
  /**
   * How many partitions a topic has.
   * @throws KafkaError if it is not there, or must not be written to.
   */
  partitions(topic: string): Promise<number>;
  /**
   * Writes batches of different partitions; never called while it is under way. Tries again by itself what can be tried again
   * without writing twice, for at most so many milliseconds. There is a result for each, in the same order; it never throws.
   */
  send(batches: readonly RecordBatch[], timeout: number): Promise<readonly SendResult[]>;
  close(): Promise<void>;
}

/** Who we are in a group, as its coordinator knows us. */
export interface GroupMember {
  readonly groupId: string;
  readonly memberId: string;
  readonly generationId: number;
  /** The number of the broker that coordinates the group. */
  readonly coordinatorId: number;
}

/** What became of a transaction. `doubtful`: it may have been committed. */
export type TransactionResult = CommitResult | "doubtful";

/** What we need of a Kafka client to write and to commit as one. */
export interface TransactionClient {
  /** Begins a session of the transactional id: what an earlier one has left open is ended, and that one can do nothing any more. */
  open(): Promise<void>;
  /** How many partitions a topic has; 0 if it is not there. */
  partitions(topic: string): Promise<number>;
  /** Writes the batches and commits the positions, both or neither; never throws. */
  run(
    batches: readonly RecordBatch[],
    positions: readonly Position[],
    member: GroupMember,
  ): Promise<TransactionResult>;
  close(): Promise<void>;
}
