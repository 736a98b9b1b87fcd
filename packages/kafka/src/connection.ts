import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { KafkaError } from "./errors.ts";
import type { KafkaConnectionOptions, KafkaSasl, KafkaSecret } from "./options.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What the client is told about how to connect; \@platformatic/kafka's own names. */
export interface ClientConnection {
  readonly clientId: string;
  readonly bootstrapBrokers: Address[];
  readonly connectTimeout: number;
  readonly tls: ConnectionOptions | undefined;
  readonly tlsServerName: boolean | undefined;
  readonly sasl: object | undefined;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i;

/** Splits `host:port`; what is not one gives an empty host. */
export function addressOf(broker: string): Address {
  const [, bracketed, plain = "", port] =
    /^(?:\[([^\]]+)\]|([^\s:/@]+)):(\d{1,5})$/.exec(broker) ?? [];
  return { host: bracketed ?? plain, port: Number(port) };
}

export function listOf<Item>(oneOrMore: Item | readonly Item[]): readonly Item[] {
  return Array.isArray(oneOrMore) ? (oneOrMore as readonly Item[]) : [oneOrMore as Item];
}

/** Whether nothing leaves this machine on the way to a broker. */
export function isLocal(brokers: string | readonly string[]): boolean {
  return listOf(brokers).every((broker) => LOOPBACK.test(addressOf(broker).host));
}

export function usesTls({ tls, brokers }: KafkaConnectionOptions): boolean {
  return tls === undefined ? !isLocal(brokers) : tls !== false;
}

/** How to connect, in the client's words, every default filled in. */
export function clientConnection(options: KafkaConnectionOptions): ClientConnection {
  const { tls } = options;
  const bootstrapBrokers = listOf(options.brokers).map(addressOf);
  const named = bootstrapBrokers.some(({ host }) => isIP(host) === 0);
  const custom = typeof tls === "object" ? tls : {};
  return {
    clientId: options.clientId ?? "westend",
    bootstrapBrokers,
    connectTimeout: options.connectTimeout ?? 5000,
    tls: usesTls(options) ? custom : undefined,
    // The client does not send the host's name by itself; brokers behind proxies need it. Addresses have none.
    tlsServerName: named && usesTls(options) && custom.servername === undefined ? true : undefined,
    sasl: options.sasl === undefined ? undefined : saslOf(options.sasl),
  };
}

function saslOf(sasl: KafkaSasl): object {
  if (sasl.mechanism === "OAUTHBEARER") {
    return { mechanism: sasl.mechanism, token: credential("token", sasl.token) };
  }
  const { mechanism, username, password } = sasl;
  return {
    mechanism,
    username: credential("username", username),
    password: credential("password", password),
  };
}

/** A function even for text: what is no text is not shown when a client is inspected. */
function credential(name: string, secret: KafkaSecret): () => Promise<string> {
  return async () => {
    try {
      return typeof secret === "function" ? await secret() : secret;
    } catch (cause) {
      throw new KafkaError(
        "KAFKA_AUTHENTICATION",
        `Kafka: \`sasl.${name}\` is a function, and it failed; see the cause`,
        { cause },
      );
    }
  };
}
