import { apis, errors } from "../protocol.ts";
import { Writer } from "../wire.ts";
import type { Handler } from "./handler.ts";

/** The only broker there is. 0 would be none to some clients. */
const NODE = 1;
const HOST = "127.0.0.1";

/** The versions there are: all the answer is where a client asks in a version that we do not speak. */
export function versions(error: number): Writer {
  const response = new Writer().int16(error);
  return response.array(Object.values(apis), ({ key, version }) => {
    response.int16(key).int16(version).int16(version);
  });
}

export const apiVersions: Handler = (_, { error }) => versions(error).int32(0);

export const metadata: Handler = (request, { store, port, error }) => {
  const names = request.nullableArray((r) => r.string()) ?? [...store.topics.keys()];
  const response = new Writer().int32(0);
  response.array([NODE], (node) => response.int32(node).string(HOST).int32(port).string(null));
  response.string("mini-broker").int32(NODE);
  return response.array(names, (name) => {
    const partitions = error === 0 ? store.topics.get(name) : undefined;
    const unknown = partitions === undefined ? errors.unknownTopicOrPartition : errors.none;
    response
      .int16(error || unknown)
      .string(name)
      .boolean(false);
    response.array([...(partitions?.keys() ?? [])], (partition) => {
      response.int16(0).int32(partition).int32(NODE).int32(0);
      for (const nodes of [[NODE], [NODE], []])
        response.array(nodes, (node) => response.int32(node));
    });
  });
};

export const findCoordinator: Handler = (_, { port, error }) =>
  new Writer().int32(0).int16(error).string(null).int32(NODE).string(HOST).int32(port);

export const initProducerId: Handler = (_, { store, error }) =>
  new Writer()
    .int32(0)
    .int16(error)
    .int64(error === 0 ? store.nextProducerId() : -1n)
    .int16(0);

export const createTopics: Handler = (request, { store, error }) => {
  const topics = request.array((r) => {
    const name = r.string();
    const partitions = r.int32();
    r.int16();
    const assignments = r.array((a) => [a.int32(), a.array((b) => b.int32())]);
    r.array((config) => [config.string(), config.nullableString()]);
    return { name, partitions: partitions > 0 ? partitions : Math.max(1, assignments.length) };
  });
  const response = new Writer().int32(0);
  return response.array(topics, ({ name, partitions }) => {
    const exists = store.topics.has(name) ? errors.topicAlreadyExists : errors.none;
    if (error === 0 && exists === 0) store.createTopic(name, partitions);
    response
      .string(name)
      .int16(error || exists)
      .string(null);
  });
};

export const deleteTopics: Handler = (request, { store, error }) => {
  const names = request.array((r) => r.string());
  const response = new Writer().int32(0);
  return response.array(names, (name) => {
    const deleted = error === 0 && store.topics.delete(name);
    response.string(name).int16(error || (deleted ? 0 : errors.unknownTopicOrPartition));
  });
};
