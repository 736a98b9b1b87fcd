import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../folder.ts";
import { freePorts } from "../ports.ts";
import { type FaultProxy, faultProxy } from "../proxy/fault-proxy.ts";
import { until } from "../wait.ts";
import { KafkaAdmin } from "./admin.ts";
import { Broker } from "./broker.ts";
import { certificate } from "./certificate.ts";
import { fetchJars, kafkaVersion } from "./jars.ts";
import { type BrokerPorts, brokerProperties } from "./properties.ts";
import { scramCredentials, type SecureListener, type Security } from "./security.ts";

export interface KafkaOptions {
  /** Default 1. */
  readonly nodes?: 1 | 3;
  /** Broker settings beside the ones made for it. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Puts a fault proxy before each broker, for clients only: brokers reach each other directly. */
  readonly proxied?: boolean;
  /** Listeners beside the plain one. */
  readonly listeners?: readonly SecureListener[];
  /** Passwords by name, for PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. OAUTHBEARER takes any unsigned token. */
  readonly users?: Readonly<Record<string, string>>;
  /** Of each JVM, in megabytes; default 256. */
  readonly heap?: number;
}

export interface KafkaServer extends AsyncDisposable {
  /** Of Apache Kafka. */
  readonly version: string;
  /** `host:port` of every broker, for clients. */
  readonly brokers: string[];
  readonly admin: KafkaAdmin;
  /** What signs the certificates of the TLS listeners, as PEM. */
  readonly ca: string | undefined;
  /** `host:port` of every broker, at one of the listeners asked for. */
  addresses(listener: SecureListener): string[];
  /** A broker by its id, from 1. */
  node(id: number): Broker;
  /** What stands before the broker of that id; needs `proxied`. */
  proxy(id: number): FaultProxy;
  /** Ends the brokers and removes their data. */
  stop(): Promise<void>;
}

/** Starts an Apache Kafka cluster of its own; resolves when all brokers answer. */
export async function startKafka({
  nodes = 1,
  properties: overrides = {},
  proxied = false,
  listeners = [],
  users = {},
  heap = 256,
}: KafkaOptions = {}): Promise<KafkaServer> {
  const jars = await fetchJars();
  const folder = temporaryFolder("kafka");
  const brokers: Broker[] = [];
  const proxies: FaultProxy[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(brokers.map((broker) => broker.kill()));
    await Promise.all(proxies.map((proxy) => proxy.close()));
    folder.remove();
  };
  try {
    const tls = listeners.some((name) => name.endsWith("SSL"))
      ? await certificate(folder.path)
      : undefined;
    const security: Security = { listeners, users, keystore: tls?.keystore };
    const own = await portsOf(nodes, listeners.length);
    if (proxied) for (const { client } of own) proxies.push(await faultProxy(client));
    const ports = own.map((each, index) => ({
      ...each,
      advertised: proxies[index]?.port ?? each.client,
    }));

    const internal = ports.map((each) => `127.0.0.1:${each.internal}`);
    const isReady = (id: number, signal: AbortSignal): Promise<unknown> => {
      const admin = new KafkaAdmin([internal[id - 1]!]);
      return until(`broker ${id} answers`, () => admin.knows(id), { signal });
    };
    for (let id = 1; id <= nodes; id++) {
      const home = join(folder.path, `broker-${id}`);
      mkdirSync(home);
      const data = join(home, "data");
      const properties = brokerProperties({ id, ports, folder: data, security, overrides });
      brokers.push(new Broker({ id, jars, folder: home, properties, heap }, isReady));
    }
    const cluster = randomBytes(16).toString("base64url");
    const credentials = scramCredentials(users);
    await Promise.all(brokers.map((broker) => broker.format(cluster, credentials)));
    await Promise.all(brokers.map((broker) => broker.start()));
    return {
      version: kafkaVersion(),
      brokers: ports.map(({ advertised }) => `127.0.0.1:${advertised}`),
      admin: new KafkaAdmin(internal),
      ca: tls?.ca,
      addresses(listener) {
        const index = listeners.indexOf(listener);
        if (index < 0) throw new RangeError(`there is no listener ${listener}; ask for it`);
        return ports.map(({ secured }) => `127.0.0.1:${secured[index]}`);
      },
      node: (id) => theOne("node", brokers, id),
      proxy: (id) => theOne("proxy", proxies, id),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function theOne<Item>(what: string, items: readonly Item[], id: number): Item {
  const item = items[id - 1];
  if (item === undefined) throw new RangeError(`there is no ${what} ${id} of ${items.length}`);
  return item;
}

async function portsOf(nodes: number, secured: number): Promise<Omit<BrokerPorts, "advertised">[]> {
  const each = 3 + secured;
  const ports = await freePorts(nodes * each);
  return Array.from({ length: nodes }, (_, index) => {
    const [client, internal, controller, ...rest] = ports.slice(index * each, (index + 1) * each);
    return { client: client!, internal: internal!, controller: controller!, secured: rest };
  });
}
