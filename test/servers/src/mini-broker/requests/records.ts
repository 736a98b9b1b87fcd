import { errors } from "../protocol.ts";
import type { Store } from "../store.ts";
import { type Reader, Writer } from "../wire.ts";
import type { Context, Handler } from "./handler.ts";

/** Timestamps that stand for a place in ListOffsets. */
const LATEST = -1n;
const EARLIEST = -2n;

export const produce: Handler = (request, { store, error }) => {
  request.nullableString();
  const acks = request.int16();
  request.int32();
  const response = new Writer();
  const topics = request.array((r) => ({
    topic: r.string(),
    partitions: r.array((p) => ({ partition: p.int32(), records: p.bytes() })),
  }));
  response.array(topics, ({ topic, partitions }) => {
    response.string(topic).array(partitions, ({ partition, records }) => {
      const log = store.log(topic, partition);
      const written =
        error === 0 && log !== undefined
          ? log.append(records)
          : { offset: -1n, error: error || errors.unknownTopicOrPartition };
      response.int32(partition).int16(written.error).int64(written.offset);
      response.int64(-1n).int64(log?.start ?? -1n);
    });
  });
  return acks === 0 ? undefined : response.int32(0);
};

interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly maxBytes: number;
}

export const fetch: Handler = async (request, context) => {
  request.int32();
  const maxWait = request.int32();
  const minBytes = request.int32();
  const maxBytes = request.int32();
  request.int8();
  const topics = request.array((r) => {
    const topic = r.string();
    return { topic, partitions: r.array((p) => fetchedPartition(topic, p)) };
  });
  const wanted = topics.flatMap(({ partitions }) => partitions);
  if (context.error === 0) await enough(wanted, minBytes, maxWait, context);

  const response = new Writer().int32(0);
  let left = maxBytes;
  return response.array(topics, ({ topic, partitions }) => {
    response.string(topic).array(partitions, (each) => {
      const log = context.store.log(topic, each.partition);
      const error = context.error || errorOf(context.store, each);
      const records =
        error === 0 && left > 0
          ? log!.read(each.offset, Math.min(left, each.maxBytes))
          : Buffer.alloc(0);
      left -= records.length;
      const end = log?.end ?? -1n;
      response.int32(each.partition).int16(error).int64(end).int64(end);
      response
        .int64(log?.start ?? -1n)
        .int32(-1)
        .bytes(records);
    });
  });
};

export const listOffsets: Handler = (request, { store, error }) => {
  request.int32();
  request.int8();
  const topics = request.array((r) => ({
    topic: r.string(),
    partitions: r.array((p) => ({ partition: p.int32(), timestamp: p.int64() })),
  }));
  const response = new Writer().int32(0);
  return response.array(topics, ({ topic, partitions }) => {
    response.string(topic).array(partitions, ({ partition, timestamp }) => {
      const log = store.log(topic, partition);
      const unknown = log === undefined ? errors.unknownTopicOrPartition : errors.none;
      const none = { offset: -1n, timestamp: -1n };
      const found =
        timestamp === EARLIEST
          ? { ...none, offset: log?.start ?? -1n }
          : timestamp === LATEST
            ? { ...none, offset: log?.end ?? -1n }
            : (log?.offsetAt(timestamp) ?? none);
      response.int32(partition).int16(error || unknown);
      response.int64(found.timestamp).int64(found.offset);
    });
  });
};

function fetchedPartition(topic: string, reader: Reader): FetchedPartition {
  const partition = reader.int32();
  const offset = reader.int64();
  reader.int64();
  return { topic, partition, offset, maxBytes: reader.int32() };
}

function errorOf(store: Store, { topic, partition, offset }: FetchedPartition): number {
  const log = store.log(topic, partition);
  if (log === undefined) return errors.unknownTopicOrPartition;
  return offset < log.start || offset > log.end ? errors.offsetOutOfRange : errors.none;
}

/** Waits until there are `minBytes` to read or an error to tell, `maxWait` milliseconds at most. */
async function enough(
  wanted: readonly FetchedPartition[],
  minBytes: number,
  maxWait: number,
  { store, signal }: Context,
): Promise<void> {
  const isEnough = (): boolean => {
    let bytes = 0;
    for (const each of wanted) {
      if (errorOf(store, each) !== 0) return true;
      bytes += store.log(each.topic, each.partition)!.read(each.offset, each.maxBytes).length;
    }
    return bytes >= minBytes;
  };
  if (isEnough()) return;
  const logs = wanted.map(({ topic, partition }) => store.log(topic, partition)!);
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      for (const each of forget) each();
      resolve();
    };
    const timer = setTimeout(end, maxWait);
    signal.addEventListener("abort", end);
    const forget = logs.map((log) =>
      log.onAppend(() => {
        if (isEnough()) end();
      }),
    );
  });
}
