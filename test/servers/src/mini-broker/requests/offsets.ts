import { errors } from "../protocol.ts";
import { Writer } from "../wire.ts";
import { claim } from "./groups.ts";
import type { Handler } from "./handler.ts";

/** The broker's `offset.metadata.max.bytes`. */
const LONGEST_METADATA = 4096;

export const offsetCommit: Handler = (request, { store, error }) => {
  const group = request.string();
  const who = claim(request);
  const topics = request.array((r) => ({
    topic: r.string(),
    partitions: r.array((p) => ({
      partition: p.int32(),
      offset: p.int64(),
      leaderEpoch: p.int32(),
      metadata: p.string(),
    })),
  }));
  const refused = error || store.group(group).mayCommit(who);
  const { generation, memberId } = who;
  const response = new Writer().int32(0);
  return response.array(topics, ({ topic, partitions }) => {
    response.string(topic).array(partitions, ({ leaderEpoch, ...commit }) => {
      const own =
        store.log(topic, commit.partition) === undefined
          ? errors.unknownTopicOrPartition
          : Buffer.byteLength(commit.metadata) > LONGEST_METADATA
            ? errors.offsetMetadataTooLarge
            : errors.none;
      const result = refused || own;
      store.commit({ group, generation, memberId, topic, ...commit, error: result }, leaderEpoch);
      response.int32(commit.partition).int16(result);
    });
  });
};

export const offsetFetch: Handler = (request, { store, error }) => {
  const committed = store.committed(request.string());
  const asked = request.nullableArray((r) => ({
    topic: r.string(),
    partitions: r.array((p) => p.int32()),
  }));
  const topics = asked ?? byTopic(committed);
  const response = new Writer().int32(0);
  response.array(topics, ({ topic, partitions }) => {
    response.string(topic).array(partitions, (partition) => {
      const found = committed.find((each) => each.topic === topic && each.partition === partition);
      response
        .int32(partition)
        .int64(found?.offset ?? -1n)
        .int32(found?.leaderEpoch ?? -1);
      response.string(found?.metadata ?? "").int16(error);
    });
  });
  return response.int16(error);
};

function byTopic(
  committed: readonly { topic: string; partition: number }[],
): { topic: string; partitions: number[] }[] {
  const topics = [...new Set(committed.map(({ topic }) => topic))];
  return topics.map((topic) => ({
    topic,
    partitions: committed.filter((each) => each.topic === topic).map(({ partition }) => partition),
  }));
}
