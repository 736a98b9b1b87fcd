import { once } from "node:events";
import { createServer } from "node:net";
import { Connection } from "./connection.ts";
import { type RequestFault, RequestFaults } from "./faults.ts";
import type { GroupState } from "./group.ts";
import type { ApiName } from "./protocol.ts";
import { type Commit, type Committed, Store } from "./store.ts";

export interface MiniBrokerOptions {
  /** Default: any that is free. */
  readonly port?: number;
  /** Numbers of partitions by topic. */
  readonly topics?: Readonly<Record<string, number>>;
  /** How long the first member of a group waits for others, in milliseconds; default 0. */
  readonly initialRebalanceDelay?: number;
}

export interface MiniBroker extends AsyncDisposable {
  readonly brokers: string[];
  /** Every commit that was asked for, in order, refused ones too. */
  readonly commits: readonly Commit[];
  createTopic(name: string, partitions: number): void;
  /** The offset that the next message gets. */
  end(topic: string, partition: number): bigint;
  /** Forgets what lies before `offset`, as retention would. */
  deleteRecords(topic: string, partition: number, offset: bigint): void;
  /** What the group has committed. */
  committed(group: string): Committed[];
  group(id: string): { state: GroupState; generation: number; members: string[] };
  /** How many requests of that kind came. */
  requests(api: ApiName): number;
  /** Has the next request of that kind fail. */
  inject(api: ApiName, fault: RequestFault): void;
  /** Takes back the faults that have not happened yet. */
  clear(): void;
  dropConnections(): void;
  stop(): Promise<void>;
}

/**
 * A Kafka broker in this process, for tests that need one in milliseconds or that need it to fail.
 * It has topics, groups and idempotent producers; no transactions, TLS, SASL or KIP-848, and it finds
 * offsets by time to the batch, not to the message.
 */
export async function startMiniBroker({
  port = 0,
  topics = {},
  initialRebalanceDelay = 0,
}: MiniBrokerOptions = {}): Promise<MiniBroker> {
  const store = new Store(initialRebalanceDelay);
  for (const [name, partitions] of Object.entries(topics)) store.createTopic(name, partitions);
  const faults = new RequestFaults();
  const counts = new Map<ApiName, number>();
  const connections = new Set<Connection>();

  const server = createServer({ noDelay: true }, (socket) => {
    const received = (api: ApiName): void => void counts.set(api, (counts.get(api) ?? 0) + 1);
    const connection = new Connection(socket, { store, faults, port: own, received });
    connections.add(connection);
    socket.once("close", () => connections.delete(connection));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no TCP address");
  const own = address.port;

  const log = (topic: string, partition: number) => {
    const found = store.log(topic, partition);
    if (found === undefined) throw new RangeError(`there is no ${topic}:${partition}`);
    return found;
  };
  const dropConnections = (): void => {
    for (const connection of connections) connection.drop();
  };
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    dropConnections();
    store.close();
    await once(server, "close");
  };
  return {
    brokers: [`127.0.0.1:${own}`],
    commits: store.commits,
    createTopic: (name, partitions) => store.createTopic(name, partitions),
    end: (topic, partition) => log(topic, partition).end,
    deleteRecords: (topic, partition, offset) => log(topic, partition).deleteBefore(offset),
    committed: (group) => store.committed(group),
    group(id) {
      const { state, generation, members } = store.group(id);
      return { state, generation, members };
    },
    requests: (api) => counts.get(api) ?? 0,
    inject: (api, fault) => faults.add(api, fault),
    clear: () => faults.clear(),
    dropConnections,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
