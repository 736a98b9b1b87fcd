import { KafkaError } from "../errors.ts";
import type { Api, Connection, Consumer, Library } from "./library.ts";

/** What we ask of brokers ourselves, and which of its versions we can use. */
const NEEDED = {
  Fetch: { from: 4, to: 17 },
  OffsetCommit: { from: 2, to: 9 },
  OffsetFetch: { from: 1, to: 9 },
} as const;

type Name = keyof typeof NEEDED;

/** The newest versions that the brokers, the client and we have in common. */
export class Protocol {
  readonly #library: Library;
  readonly #versions: ReadonlyMap<string, number>;

  private constructor(library: Library, versions: ReadonlyMap<string, number>) {
    this.#library = library;
    this.#versions = versions;
  }

  /** @throws KafkaError if the brokers are too old, or too new, for us. */
  static async negotiate(library: Library, consumer: Consumer): Promise<Protocol> {
    const offered = await consumer.listApis();
    const versions = new Map<string, number>();
    for (const [name, { from, to }] of Object.entries(NEEDED)) {
      const api = offered.find((one) => one.name === name);
      const version = newestOf(library, name, from, Math.min(to, api?.maxVersion ?? -1));
      if (api === undefined || version === undefined || version < api.minVersion) {
        throw new KafkaError(
          "KAFKA_UNSUPPORTED_VERSION",
          `Kafka: the brokers offer ${name} in versions ${api === undefined ? "none" : `${api.minVersion} to ${api.maxVersion}`}, and ${from} to ${to} can be used. They have to be of Kafka 2.4 or newer`,
        );
      }
      versions.set(name, version);
    }
    return new Protocol(library, versions);
  }

  version(name: Name): number {
    return this.#versions.get(name) as number;
  }

  api(name: Name): Api {
    return apiOf(this.#library, name, this.version(name)) as Api;
  }

  async ask(name: Name, connection: Connection, ...parameters: unknown[]): Promise<unknown> {
    return this.api(name).api.async(connection, ...parameters);
  }
}

function newestOf(library: Library, name: string, from: number, to: number): number | undefined {
  for (let version = to; version >= from; version--) {
    if (apiOf(library, name, version) !== undefined) return version;
  }
  return undefined;
}

function apiOf(library: Library, name: string, version: number): Api | undefined {
  const exported = `${name.charAt(0).toLowerCase()}${name.slice(1)}V${version}`;
  return (library as unknown as Record<string, Api | undefined>)[exported];
}
