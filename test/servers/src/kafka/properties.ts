import { type Security, securityProperties } from "./security.ts";

/** Where one broker listens. */
export interface BrokerPorts {
  /** For clients. */
  readonly client: number;
  /** What clients are told to connect to: `client`, or that of a proxy before it. */
  readonly advertised: number;
  /** For the other brokers and for the administrator: not cut off by a proxy. */
  readonly internal: number;
  readonly controller: number;
  /** In the order of `Security.listeners`. */
  readonly secured: readonly number[];
}

export interface BrokerOptions {
  /** Counts from 1. */
  readonly id: number;
  /** Of the whole cluster. */
  readonly ports: readonly BrokerPorts[];
  readonly folder: string;
  readonly security: Security;
  readonly overrides: Readonly<Record<string, string>>;
}

/** A broker that is also a controller, all on 127.0.0.1. */
export function brokerProperties(options: BrokerOptions): string {
  const { id, ports, security, overrides } = options;
  const own = ports[id - 1]!;
  const at = (name: string, port: number): string => `${name}://127.0.0.1:${port}`;
  const internal = at("INTERNAL", own.internal);
  const secured = security.listeners.map((name, index) => at(name, own.secured[index]!));
  const plain = ["PLAINTEXT", "INTERNAL", "CONTROLLER"].map((name) => `${name}:PLAINTEXT`);
  const properties: Record<string, string | number> = {
    "process.roles": "broker,controller",
    "node.id": id,
    "log.dirs": options.folder,
    "controller.quorum.voters": ports
      .map(({ controller }, index) => `${index + 1}@127.0.0.1:${controller}`)
      .join(),
    listeners: [
      at("PLAINTEXT", own.client),
      internal,
      at("CONTROLLER", own.controller),
      ...secured,
    ].join(),
    "advertised.listeners": [at("PLAINTEXT", own.advertised), internal, ...secured].join(),
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "INTERNAL",
    "listener.security.protocol.map": [
      ...plain,
      ...security.listeners.map((name) => `${name}:${name}`),
    ].join(),
    "default.replication.factor": ports.length,
    "offsets.topic.replication.factor": ports.length,
    "offsets.topic.num.partitions": 5,
    "transaction.state.log.replication.factor": ports.length,
    "transaction.state.log.min.isr": Math.min(2, ports.length),
    "transaction.state.log.num.partitions": 5,
    "share.coordinator.state.topic.replication.factor": ports.length,
    "share.coordinator.state.topic.min.isr": Math.min(2, ports.length),
    // A broker that was killed may come back when its session has ended, and its partitions move then.
    "broker.session.timeout.ms": 3000,
    "broker.heartbeat.interval.ms": 500,
    // Tests say when members come; nobody is waited for.
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "auto.create.topics.enable": "false",
    ...securityProperties(security),
    ...overrides,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
