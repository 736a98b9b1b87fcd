import type { Fetched, KafkaDriverOptions, Wanted } from "../client.ts";
import type { Codecs } from "../decompress.ts";
import { RecordReader } from "../record-batch.ts";
import { type FetchedBytes, parseFetchResponse } from "./fetch-response.ts";
import type { Connection } from "./library.ts";
import type { Protocol } from "./protocol.ts";

const FETCH = 1;
const OFFSET_OUT_OF_RANGE = 1;
/** Unknown topic or partition, leader not available, not leader, replica not available, storage error, fenced and unknown leader epoch, unknown and inconsistent topic id. */
const MOVED: ReadonlySet<number> = new Set([3, 5, 6, 9, 56, 74, 76, 100, 103]);
const READ_COMMITTED = 1;

/** Asks one broker for what is wanted of it. `ids` gives the id of a topic. */
export async function fetchRecords(
  connection: Connection,
  protocol: Protocol,
  wanted: readonly Wanted[],
  ids: ReadonlyMap<string, string>,
  options: KafkaDriverOptions,
  codecs: Codecs,
): Promise<Fetched[]> {
  const version = protocol.version("Fetch");
  const nameOf = new Map<string, string>();
  for (const { topic } of wanted) nameOf.set(version >= 13 ? (ids.get(topic) ?? "") : topic, topic);
  const answer = await send(connection, protocol, version, request(wanted, nameOf), options);
  const asked = new Map(wanted.map((one) => [`${one.partition} ${one.topic}`, one]));
  return answer.flatMap((bytes) => {
    const one = asked.get(`${bytes.partition} ${nameOf.get(bytes.topic) ?? ""}`);
    return one === undefined ? [] : [fetched(one, bytes, options, codecs)];
  });
}

/** Partitions by topic; the id, or the name, goes under `topicId`. */
function request(wanted: readonly Wanted[], nameOf: ReadonlyMap<string, string>): object[] {
  return [...nameOf].map(([topicId, name]) => ({
    topicId,
    partitions: wanted
      .filter(({ topic }) => topic === name)
      .map(({ partition, offset, maxBytes }) => ({
        partition,
        currentLeaderEpoch: -1,
        fetchOffset: BigInt(offset),
        lastFetchedEpoch: -1,
        partitionMaxBytes: maxBytes,
      })),
  }));
}

function send(
  connection: Connection,
  protocol: Protocol,
  version: number,
  topics: object[],
  { maxWait, minBytes, maxBytes, isolation }: KafkaDriverOptions,
): Promise<readonly FetchedBytes[]> {
  const level = isolation === "committed" ? READ_COMMITTED : 0;
  // No fetch session: what is wanted changes with every request.
  const parameters = [maxWait, minBytes, maxBytes, level, 0, -1, topics, [], ""];
  const flexible = version >= 12;
  return new Promise((resolve, reject) => {
    connection.send(
      FETCH,
      version,
      () => protocol.api("Fetch").createRequest(...parameters),
      parseFetchResponse,
      flexible,
      flexible,
      (error: Error | null, response: ReturnType<typeof parseFetchResponse>) => {
        if (error !== null) reject(error);
        else if (response.errorCode !== 0) {
          reject(new Error(`The broker refused the fetch with error ${response.errorCode}`));
        } else resolve(response.partitions);
      },
    );
  });
}

function fetched(
  { topic, partition, offset }: Wanted,
  bytes: FetchedBytes,
  options: KafkaDriverOptions,
  codecs: Codecs,
): Fetched {
  const { errorCode, data, aborted, highWatermark, lastStableOffset } = bytes;
  const committed = options.isolation === "committed";
  return {
    topic,
    partition,
    problem: problemOf(errorCode),
    end: committed ? lastStableOffset : highWatermark,
    records:
      data === null || data.length === 0
        ? undefined
        : new RecordReader({
            data,
            from: offset,
            aborted: committed ? aborted : undefined,
            codecs,
            maxMessageBytes: options.maxMessageBytes,
            maxHeaders: options.maxHeaders,
            maxBatchBytes: options.maxBatchBytes,
          }),
  };
}

function problemOf(errorCode: number): Fetched["problem"] {
  if (errorCode === 0) return undefined;
  if (errorCode === OFFSET_OUT_OF_RANGE) return "outOfRange";
  if (MOVED.has(errorCode)) return "moved";
  return new Error(`The broker refused to give records, with error ${errorCode}`);
}
