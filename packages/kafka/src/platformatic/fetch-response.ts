import type { AbortedTransaction } from "../record-batch.ts";
import type { Reader } from "./library.ts";

/** One partition of an answer, with its records as they came. */
export interface FetchedBytes {
  /** A topic's name up to version 12, its id from then on. */
  readonly topic: string;
  readonly partition: number;
  /** 0 if all is well. */
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly aborted: readonly AbortedTransaction[];
  readonly data: Buffer | null;
}

/**
 * Reads what a broker answered and leaves the records undecoded: the client's own parser would decode, and decompress, all of them at
 * once and without a limit. Versions 4 to 17.
 */
export function parseFetchResponse(
  _correlation: number,
  _key: number,
  version: number,
  reader: Reader,
): { readonly errorCode: number; readonly partitions: readonly FetchedBytes[] } {
  const flexible = version >= 12;
  const partitions: FetchedBytes[] = [];
  reader.readInt32(); // throttle time
  const errorCode = version >= 7 ? reader.readInt16() : 0;
  if (version >= 7) reader.readInt32(); // session
  for (let topics = count(reader, flexible); topics > 0; topics--) {
    const topic = version >= 13 ? reader.readUUID() : reader.readString(flexible);
    for (let left = count(reader, flexible); left > 0; left--) {
      partitions.push(readPartition(reader, topic, version));
      if (flexible) reader.readTaggedFields();
    }
    if (flexible) reader.readTaggedFields();
  }
  return { errorCode, partitions };
}

function readPartition(reader: Reader, topic: string, version: number): FetchedBytes {
  const flexible = version >= 12;
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  const highWatermark = Number(reader.readInt64());
  const lastStableOffset = Number(reader.readInt64());
  if (version >= 5) reader.readInt64(); // start of the log
  const aborted: AbortedTransaction[] = [];
  for (let left = count(reader, flexible); left > 0; left--) {
    const producerId = reader.readInt64();
    aborted.push({ producerId, firstOffset: Number(reader.readInt64()) });
    if (flexible) reader.readTaggedFields();
  }
  if (version >= 11) reader.readInt32(); // preferred replica
  const data = reader.readNullableBytes(flexible);
  return { topic, partition, errorCode, highWatermark, lastStableOffset, aborted, data };
}

/** The length of an array; 0 for none. */
function count(reader: Reader, flexible: boolean): number {
  return flexible ? reader.readUnsignedVarInt() - 1 : reader.readInt32();
}
