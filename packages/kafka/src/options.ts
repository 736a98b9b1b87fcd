import type { SecureContextOptions } from "node:tls";
import type { Awaitable, DeadLetter, DeadLetterSink } from "westend";
import type { KafkaDriverFactory } from "./client.ts";
import type { RecordBytes } from "./record.ts";
import type { StoredKafkaLetter } from "./stored-letter.ts";

/** What is secret may be given by a function: it is called at each authentication, so that it can change. */
export type KafkaSecret = string | (() => Awaitable<string>);

/** How to prove who we are. */
export type KafkaSasl =
  | {
      readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
      readonly username: KafkaSecret;
      readonly password: KafkaSecret;
    }
  | { readonly mechanism: "OAUTHBEARER"; readonly token: KafkaSecret };

/** What `node:tls` is told besides host and port. */
export interface KafkaTls extends Pick<
  SecureContextOptions,
  "ca" | "cert" | "key" | "passphrase" | "pfx"
> {
  /** The name the broker's certificate must have, if it is not the host's. */
  readonly servername?: string | undefined;
  /**
   * Whether a certificate must be trusted. `false` is reported as `insecureTls` each time the source is opened.
   * @defaultValue true
   */
  readonly rejectUnauthorized?: boolean | undefined;
}

/** How to reach a cluster; the same for sources and sinks. */
export interface KafkaConnectionOptions {
  /** `host:port` of one broker or several; the others are learnt from them. */
  readonly brokers: string | readonly string[];
  /**
   * Shown in the brokers' logs and quotas.
   * @defaultValue `"westend"`
   */
  readonly clientId?: string | undefined;
  /**
   * @defaultValue true, unless every broker is on this machine (`localhost`, `127.0.0.1`, `::1`)
   */
  readonly tls?: boolean | KafkaTls | undefined;
  /**
   * Allows what can be read or changed on its way: no TLS to other machines, credentials without TLS.
   * @defaultValue false
   */
  readonly insecure?: boolean | undefined;
  readonly sasl?: KafkaSasl | undefined;
  /**
   * Milliseconds a connection may take; the first answer on it may take as many again.
   * @defaultValue 5000
   */
  readonly connectTimeout?: number | undefined;
}

/** Where to begin where nothing has been committed, or what was committed is no longer there. */
export type KafkaStart =
  | "earliest"
  | "latest"
  | {
      /** Milliseconds since the Unix epoch: the first message that is not older. */
      readonly timestamp: number;
    };

/** How much is asked of a broker at once. */
export interface KafkaFetchOptions {
  /**
   * Bytes a broker waits for, at most `maxWait`.
   * @defaultValue 1
   */
  readonly minBytes?: number | undefined;
  /**
   * Bytes of one answer. What is fetched and not yet handed over stays below this for each broker.
   * @defaultValue 8_388_608 (8 MiB)
   */
  readonly maxBytes?: number | undefined;
  /**
   * Bytes of one partition in one answer.
   * @defaultValue 1_048_576 (1 MiB)
   */
  readonly maxBytesPerPartition?: number | undefined;
  /**
   * Milliseconds a broker may wait for `minBytes`.
   * @defaultValue 500
   */
  readonly maxWait?: number | undefined;
}

export interface KafkaOptions extends KafkaConnectionOptions {
  /** The members of a group share the partitions; the group remembers how far it has come. */
  readonly groupId: string;
  readonly topics: string | readonly string[];
  /**
   * Topics whose messages are handed over so many milliseconds after they were written, such as those of `retryTopics`. Until then
   * their partitions wait, and no others.
   */
  readonly delayed?: readonly DelayedTopic[] | undefined;
  /**
   * A name for this member that outlives its process: a restart within `sessionTimeout` gets the same partitions back and
   * nobody else is disturbed. Unique in its group.
   */
  readonly groupInstanceId?: string | undefined;
  /** @defaultValue `"earliest"`: nothing is passed over */
  readonly from?: KafkaStart | undefined;
  /**
   * Begins as `from` says at every start, whatever has been committed. A partition that comes back in a rebalance goes on where it was.
   * @defaultValue false
   */
  readonly ignoreCommitted?: boolean | undefined;
  /**
   * `key`: messages of a key one at a time, in order; those without a key in any order. `partition`: all of a partition in order.
   * `processor.partitionBy` wins.
   * @defaultValue `"key"`
   */
  readonly orderBy?: "key" | "partition" | "none" | undefined;
  /**
   * Ends the source when everything has ended that its partitions held when it got them; for batch jobs.
   * @defaultValue false
   */
  readonly finite?: boolean | undefined;
  /**
   * What of transactions is seen.
   * @defaultValue `"committed"`
   */
  readonly isolation?: "committed" | "uncommitted" | undefined;
  readonly fetch?: KafkaFetchOptions | undefined;
  /**
   * Milliseconds between commits; also made when partitions are given away and at the end. What was done since the last one is
   * done again after a crash. With `transactionalId` what is sent is not to be seen before.
   * @defaultValue 1000; 100 with `transactionalId`
   */
  readonly commitInterval?: number | undefined;
  /**
   * Makes `sendInTransaction` possible: what is sent and what is committed are one. Unique to this process, and the same when it is
   * started again: that ends at once what a killed one has left open, which others would have to wait for.
   */
  readonly transactionalId?: string | undefined;
  /**
   * How far beyond the oldest unfinished message of a partition others may be handed over, in offsets. Beyond it only this partition waits.
   * @defaultValue 10_000
   */
  readonly maxAhead?: number | undefined;
  /**
   * Milliseconds without a sign of life after which the group gives this member's partitions to others.
   * @defaultValue 45_000
   */
  readonly sessionTimeout?: number | undefined;
  /**
   * Milliseconds members have to come back with in a rebalance; at least `sessionTimeout`.
   * @defaultValue 60_000
   */
  readonly rebalanceTimeout?: number | undefined;
  /**
   * Milliseconds between signs of life. A timer makes them, handlers cannot delay them unless they block the event loop.
   * @defaultValue 3000
   */
  readonly heartbeatInterval?: number | undefined;
  /**
   * Milliseconds handlers may finish in when their partition is given to another member; less than `sessionTimeout`.
   * @defaultValue half of `sessionTimeout`
   */
  readonly revokeTimeout?: number | undefined;
  /**
   * Milliseconds without progress, though there is something to do, after which `stalled` is published and `ready` turns false.
   * @defaultValue 60_000
   */
  readonly progressTimeout?: number | undefined;
  /**
   * What becomes of a message that ran out of policy and was not dead-lettered. `retry`: it is handed over again after `retryDelay`,
   * and what is committed stays before it. `commit`: it is passed over, and counted.
   * @defaultValue `"retry"`
   */
  readonly onFailure?: "retry" | "commit" | undefined;
  /**
   * Milliseconds until a failed message is handed over again.
   * @defaultValue 10_000
   */
  readonly retryDelay?: number | undefined;
  /**
   * Bytes of key, value and headers. A larger message comes without them, so that it fails and becomes a dead letter by its place.
   * @defaultValue 1_048_576 (1 MiB)
   */
  readonly maxMessageBytes?: number | undefined;
  /**
   * Headers of a message; treated as `maxMessageBytes`.
   * @defaultValue 256
   */
  readonly maxHeaders?: number | undefined;
  /**
   * Bytes a compressed batch may grow to; and to 200 times its size.
   * @defaultValue 16_777_216 (16 MiB)
   */
  readonly maxBatchBytes?: number | undefined;
  /**
   * Another client than \@platformatic/kafka.
   * @internal
   */
  readonly driver?: KafkaDriverFactory | undefined;
}

/** How records are written. */
export interface KafkaWriteOptions {
  /** @defaultValue `"none"` */
  readonly compression?: "none" | "gzip" | "snappy" | "lz4" | "zstd" | undefined;
  /**
   * Bytes of one partition in one request, before compression; a single record may be larger. At most `max.message.bytes` of the
   * topic, or the broker refuses it and it is sent again in halves.
   * @defaultValue 1_000_000
   */
  readonly batchBytes?: number | undefined;
  /**
   * Milliseconds a record may take, over all tries. Brokers that come back within them write it once.
   * @defaultValue 30_000
   */
  readonly deliveryTimeout?: number | undefined;
}

export interface ToKafkaOptions extends KafkaConnectionOptions, KafkaWriteOptions {
  /** Where records go that name no topic. */
  readonly topic?: string | undefined;
}

export interface KafkaDeadLetterOptions extends KafkaConnectionOptions, KafkaWriteOptions {
  /** Must be there when the pipeline starts; not compacted. How long letters are kept is its `retention.ms`. */
  readonly topic: string;
  /**
   * What to store in place of the value: masks or encrypts it. `redrive` undoes it with `edit`.
   * @defaultValue the value as it came
   */
  readonly seal?: ((letter: DeadLetter) => RecordBytes) | undefined;
}

/** A topic whose messages are handed over some time after they were written. */
export interface DelayedTopic {
  readonly topic: string;
  /** Milliseconds. */
  readonly delay: number;
}

export interface RetryTopicsOptions extends KafkaConnectionOptions, KafkaWriteOptions {
  /** Where a message goes that has failed, in this order: once through each of them. The source reads them as `delayed`. */
  readonly delayed: readonly DelayedTopic[];
  /** Where messages go that failed after the last of them too. */
  readonly deadLetter: DeadLetterSink<unknown, unknown>;
  /**
   * Which of them are worth another try later; the others become dead letters at once.
   * @defaultValue all but those that do not fit their decoder
   */
  readonly when?: ((letter: DeadLetter) => boolean) | undefined;
}

export interface RedriveOptions extends KafkaConnectionOptions, KafkaWriteOptions {
  /** The dead-letter topic. */
  readonly topic: string;
  /** Who does it: a person or a program, for the note that is left in the topic. */
  readonly by: string;
  /** Which letters; the others stay as they are, for another time. */
  readonly filter?: ((letter: StoredKafkaLetter) => boolean) | undefined;
  /** Mends a value, or opens one that was sealed. `undefined` leaves the letter as it is. */
  readonly edit?: ((letter: StoredKafkaLetter) => Awaitable<RecordBytes | undefined>) | undefined;
  /** @defaultValue all that fit and are there when it begins */
  readonly limit?: number | undefined;
  /** Calls `filter` and `edit` and counts, but writes nothing. */
  readonly dryRun?: boolean | undefined;
}
