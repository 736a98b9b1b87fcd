import type { CommitResult, Position, TopicPartition } from "../client.ts";
import { KafkaError } from "../errors.ts";
import type { KafkaStart } from "../options.ts";
import type { Connection, Consumer } from "./library.ts";
import type { Protocol } from "./protocol.ts";

/** Who commits. */
export interface Member {
  readonly groupId: string;
  readonly memberId: string;
  readonly generationId: number;
  readonly groupInstanceId: string | null;
}

interface Topics<Partition> {
  readonly topics: readonly { readonly name: string; readonly partitions: readonly Partition[] }[];
}

type CommitAnswer = Topics<{ readonly partitionIndex: number; readonly errorCode: number }>;

type FetchAnswer = Topics<{
  readonly partitionIndex: number;
  readonly committedOffset: bigint;
  readonly metadata: string | null;
}>;

/** What stands for the begin and for the end where a time is asked for. */
const EARLIEST = -2n;
const LATEST = -1n;
const METADATA_TOO_LARGE = 12;
/** A time-out: what has no answer is sent again. */
const NOT_ANSWERED = 7;
/** Coordinator loading, not available or elsewhere; a rebalance; a time-out; too few replicas. */
const PASSING: ReadonlySet<number> = new Set([7, 14, 15, 16, 19, 27]);
/** Illegal generation, unknown member, fenced instance, fenced and stale member epoch. */
const LOST: ReadonlySet<number> = new Set([22, 25, 82, 110, 113]);

/** Groups by topic, as requests have it. */
function byTopic<Each extends TopicPartition, Entry>(
  all: readonly Each[],
  entry: (one: Each) => Entry,
): { name: string; entries: Entry[] }[] {
  const topics = new Map<string, Entry[]>();
  for (const one of all) {
    const entries = topics.get(one.topic);
    if (entries === undefined) topics.set(one.topic, [entry(one)]);
    else entries.push(entry(one));
  }
  return [...topics].map(([name, entries]) => ({ name, entries }));
}

export async function commitOffsets(
  connection: Connection,
  protocol: Protocol,
  { groupId, generationId, memberId, groupInstanceId }: Member,
  positions: readonly Position[],
): Promise<CommitResult[]> {
  const topics = byTopic(positions, ({ partition, offset, metadata }) => ({
    partitionIndex: partition,
    committedOffset: BigInt(offset),
    committedLeaderEpoch: -1,
    committedMetadata: metadata,
  })).map(({ name, entries }) => ({ name, partitions: entries }));
  let answer: CommitAnswer;
  try {
    answer = (await protocol.ask(
      "OffsetCommit",
      connection,
      groupId,
      generationId,
      memberId,
      groupInstanceId,
      topics,
    )) as CommitAnswer;
  } catch (error) {
    // The client throws if a single partition has an error; the answer is on it.
    const response = (error as { response?: CommitAnswer }).response;
    if (response?.topics === undefined) throw error;
    answer = response;
  }
  return positions.map(({ topic, partition }) => {
    const { partitions } = answer.topics.find(({ name }) => name === topic) ?? { partitions: [] };
    const found = partitions.find(({ partitionIndex }) => partitionIndex === partition);
    return resultOf(found?.errorCode ?? NOT_ANSWERED);
  });
}

function resultOf(errorCode: number): CommitResult {
  if (errorCode === 0) return "done";
  if (errorCode === METADATA_TOO_LARGE) return "metadataTooLarge";
  if (LOST.has(errorCode)) return "lost";
  if (PASSING.has(errorCode)) return "retry";
  return new Error(`The broker refused the commit with error ${errorCode}`);
}

export async function committedOffsets(
  connection: Connection,
  protocol: Protocol,
  groupId: string,
  partitions: readonly TopicPartition[],
): Promise<Position[]> {
  const topics = byTopic(partitions, ({ partition }) => partition).map(({ name, entries }) => ({
    name,
    partitionIndexes: entries,
  }));
  // Stable: a transaction that is about to commit offsets is waited for.
  const stable = protocol.version("OffsetFetch") >= 7;
  const group = { groupId, memberId: null, memberEpoch: -1, topics };
  const answer = (await protocol.ask("OffsetFetch", connection, [group], stable)) as
    | FetchAnswer
    | { readonly groups: readonly FetchAnswer[] };
  const found = "groups" in answer ? (answer.groups[0]?.topics ?? []) : answer.topics;
  return partitions.map(({ topic, partition }) => {
    const entry = found
      .find(({ name }) => name === topic)
      ?.partitions.find(({ partitionIndex }) => partitionIndex === partition);
    // Not the same as nothing: it would begin somewhere else, and what lies between would never be handled.
    if (entry === undefined) throw unanswered("what is committed for", { topic, partition });
    const offset = Number(entry.committedOffset);
    return { topic, partition, offset, metadata: entry.metadata ?? "" };
  });
}

/** The offsets at which these begin or end, or that a time stands for: the end where nothing is as new as that. */
export async function listedOffsets(
  consumer: Pick<Consumer, "listOffsets">,
  partitions: readonly TopicPartition[],
  at: KafkaStart,
): Promise<readonly number[]> {
  if (at === "earliest") return bounds(consumer, partitions, EARLIEST);
  // Asked for first: what comes between the two answers is as new as that.
  const ends = await bounds(consumer, partitions, LATEST);
  if (at === "latest") return ends;
  const offsets = await list(consumer, partitions, BigInt(at.timestamp));
  return offsets.map((offset, index) => (offset < 0 ? (ends[index] as number) : offset));
}

/** Every partition has them. */
async function bounds(
  consumer: Pick<Consumer, "listOffsets">,
  partitions: readonly TopicPartition[],
  at: bigint,
): Promise<number[]> {
  const offsets = await list(consumer, partitions, at);
  const missing = partitions[offsets.findIndex((offset) => offset < 0)];
  if (missing !== undefined) throw unanswered("the first or last offset of", missing);
  return offsets;
}

function unanswered(what: string, { topic, partition }: TopicPartition): KafkaError {
  return new KafkaError(
    "KAFKA_UNREACHABLE",
    `Kafka: the broker did not say ${what} ${topic}-${partition}; it is asked again`,
  );
}

async function list(
  consumer: Pick<Consumer, "listOffsets">,
  partitions: readonly TopicPartition[],
  timestamp: bigint,
): Promise<number[]> {
  const asked: Record<string, number[]> = Object.create(null) as Record<string, number[]>;
  for (const { topic, partition } of partitions) (asked[topic] ??= []).push(partition);
  const topics = Object.keys(asked);
  const found = await consumer.listOffsets({ topics, partitions: asked, timestamp });
  return partitions.map(({ topic, partition }) => Number(found.get(topic)?.[partition] ?? -1n));
}
