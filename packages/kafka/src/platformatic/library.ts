import type { ConnectionOptions } from "node:tls";
import { KafkaError } from "../errors.ts";

/** The part of \@platformatic/kafka that we need, in the shape of 2.12; nothing of its own types leaves this package. */
export interface Library {
  readonly Consumer: new (options: ConsumerSettings) => Consumer;
  readonly ConnectionPool: new (clientId: string, options: object) => ConnectionPool;
  readonly compressionsAlgorithms: {
    readonly snappy: Codec;
    readonly lz4: Codec;
  };
}

interface Codec {
  decompressSync(data: Buffer): Buffer;
}

/** Functions of the protocol are exported by name and version: `fetchV17`, `offsetCommitV9`. */
export interface Api {
  createRequest(...parameters: unknown[]): unknown;
  readonly api: { async(connection: Connection, ...parameters: unknown[]): Promise<unknown> };
}

export interface ConsumerSettings {
  readonly clientId: string;
  readonly bootstrapBrokers: readonly Broker[];
  readonly groupId: string;
  readonly groupInstanceId: string | undefined;
  readonly tls: ConnectionOptions | undefined;
  readonly [option: string]: unknown;
}

export interface Broker {
  readonly host: string;
  readonly port: number;
}

export interface Metadata {
  readonly brokers: ReadonlyMap<number, Broker>;
  readonly topics: ReadonlyMap<
    string,
    { readonly id: string; readonly partitions: readonly { readonly leader: number }[] } | undefined
  >;
}

export interface Assignment {
  readonly topic: string;
  readonly partitions: readonly number[];
}

export interface Consumer {
  readonly memberId: string | null;
  readonly generationId: number;
  readonly assignments: readonly Assignment[] | null;
  readonly topics: { track(topic: string): unknown };
  readonly connections: ConnectionPool;
  on(event: string, listener: (...parameters: never[]) => void): unknown;
  metadata(options: {
    topics: string[];
    forceUpdate?: boolean;
    retries?: number;
  }): Promise<Metadata>;
  listApis(): Promise<readonly { name: string; minVersion: number; maxVersion: number }[]>;
  findGroupCoordinator(): Promise<number>;
  listOffsets(options: {
    topics: string[];
    partitions: Record<string, number[]>;
    timestamp: bigint;
  }): Promise<ReadonlyMap<string, readonly (bigint | undefined)[]>>;
  joinGroup(options: object): Promise<unknown>;
  leaveGroup(force: boolean): Promise<unknown>;
  close(force: boolean): Promise<unknown>;
  clearMetadata(): void;
}

export interface ConnectionPool extends Iterable<readonly [string, Connection]> {
  on(event: "connecting", listener: (event: { connection: Connection }) => void): unknown;
  get(broker: Broker): Promise<Connection>;
  close(): Promise<unknown>;
}

export interface Connection {
  readonly socket: { destroy(): void } | undefined;
  on(event: "error", listener: () => void): unknown;
  send(
    key: number,
    version: number,
    createRequest: () => unknown,
    parse: (correlation: number, key: number, version: number, reader: Reader) => unknown,
    flexibleRequest: boolean,
    flexibleResponse: boolean,
    callback: (error: Error | null, response: never) => void,
  ): void;
}

export interface Reader {
  skip(bytes: number): unknown;
  readInt16(): number;
  readInt32(): number;
  readInt64(): bigint;
  readString(compact: boolean): string;
  readUUID(): string;
  readUnsignedVarInt(): number;
  readNullableBytes(compact: boolean): Buffer | null;
  readTaggedFields(): void;
}

/**
 * Loads the client when a source or sink is opened, not when it is defined.
 * @throws KafkaError if it is not installed.
 */
export async function loadLibrary<Wanted = Library>(): Promise<Wanted> {
  try {
    return (await import("@platformatic/kafka")) as unknown as Wanted;
  } catch (cause) {
    throw new KafkaError(
      "KAFKA_CLIENT_MISSING",
      "@westend/kafka needs the client @platformatic/kafka, which could not be loaded. Install it beside it: npm install @platformatic/kafka",
      { cause },
    );
  }
}
