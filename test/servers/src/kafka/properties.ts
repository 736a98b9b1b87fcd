/** Where one broker listens. */
export interface BrokerPorts {
  /** For clients. */
  readonly client: number;
  /** What clients are told to connect to: `client`, or that of a proxy before it. */
  readonly advertised: number;
  /** For the other brokers and for the administrator: not cut off by a proxy. */
  readonly internal: number;
  readonly controller: number;
}

/** A broker that is also a controller, all on 127.0.0.1; `brokers` are the whole cluster, `id` counts from 1. */
export function brokerProperties(
  id: number,
  brokers: readonly BrokerPorts[],
  folder: string,
  overrides: Readonly<Record<string, string>>,
): string {
  const ports = brokers[id - 1]!;
  const at = (name: string, port: number): string => `${name}://127.0.0.1:${port}`;
  const internal = at("INTERNAL", ports.internal);
  const properties: Record<string, string | number> = {
    "process.roles": "broker,controller",
    "node.id": id,
    "log.dirs": folder,
    "controller.quorum.voters": brokers
      .map(({ controller }, index) => `${index + 1}@127.0.0.1:${controller}`)
      .join(),
    listeners: [at("PLAINTEXT", ports.client), internal, at("CONTROLLER", ports.controller)].join(),
    "advertised.listeners": [at("PLAINTEXT", ports.advertised), internal].join(),
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "INTERNAL",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "default.replication.factor": brokers.length,
    "offsets.topic.replication.factor": brokers.length,
    "offsets.topic.num.partitions": 5,
    "transaction.state.log.replication.factor": brokers.length,
    "transaction.state.log.min.isr": Math.min(2, brokers.length),
    "transaction.state.log.num.partitions": 5,
    "share.coordinator.state.topic.replication.factor": brokers.length,
    "share.coordinator.state.topic.min.isr": Math.min(2, brokers.length),
    // A broker that was killed may come back when its session has ended, and its partitions move then.
    "broker.session.timeout.ms": 3000,
    "broker.heartbeat.interval.ms": 500,
    // Tests say when members come; nobody is waited for.
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "auto.create.topics.enable": "false",
    ...overrides,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
