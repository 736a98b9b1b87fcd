import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../folder.ts";
import { freePorts } from "../ports.ts";
import { until } from "../wait.ts";
import { KafkaAdmin } from "./admin.ts";
import { Broker } from "./broker.ts";
import { fetchJars } from "./jars.ts";
import { type BrokerPorts, brokerProperties } from "./properties.ts";

export interface KafkaOptions {
  /** Default 1. */
  readonly nodes?: 1 | 3;
  /** Broker settings beside the ones made for it. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Of each JVM, in megabytes; default 256. */
  readonly heap?: number;
}

export interface KafkaServer extends AsyncDisposable {
  /** `host:port` of every broker, for clients. */
  readonly brokers: string[];
  readonly admin: KafkaAdmin;
  /** A broker by its id, from 1. */
  node(id: number): Broker;
  /** Ends the brokers and removes their data. */
  stop(): Promise<void>;
}

/** Starts an Apache Kafka cluster of its own; resolves when all brokers answer. */
export async function startKafka({
  nodes = 1,
  properties = {},
  heap = 256,
}: KafkaOptions = {}): Promise<KafkaServer> {
  const jars = await fetchJars();
  const folder = temporaryFolder("kafka");
  const all = await portsOf(nodes);
  const internal = (id: number): string => `127.0.0.1:${all[id - 1]!.internal}`;
  const isReady = (id: number, signal: AbortSignal): Promise<unknown> => {
    const admin = new KafkaAdmin([internal(id)]);
    return until(`broker ${id} answers`, () => admin.sees(nodes), { signal });
  };
  const brokers = all.map((_, index) => {
    const own = join(folder.path, `broker-${index + 1}`);
    mkdirSync(own);
    const text = brokerProperties(index + 1, all, join(own, "data"), properties);
    return new Broker({ id: index + 1, jars, folder: own, properties: text, heap }, isReady);
  });

  const stop = async (): Promise<void> => {
    await Promise.all(brokers.map((broker) => broker.kill()));
    folder.remove();
  };
  try {
    const cluster = randomBytes(16).toString("base64url");
    await Promise.all(brokers.map((broker) => broker.format(cluster)));
    await Promise.all(brokers.map((broker) => broker.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    brokers: all.map(({ advertised }) => `127.0.0.1:${advertised}`),
    admin: new KafkaAdmin(brokers.map(({ id }) => internal(id))),
    node(id) {
      const broker = brokers[id - 1];
      if (broker === undefined) throw new RangeError(`there is no node ${id} of ${nodes}`);
      return broker;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function portsOf(nodes: number): Promise<BrokerPorts[]> {
  const ports = await freePorts(nodes * 3);
  return Array.from({ length: nodes }, (_, index) => {
    const [client, internal, controller] = ports.slice(index * 3) as [number, number, number];
    return { client, advertised: client, internal, controller };
  });
}
