import {
  array,
  boolean,
  check,
  type Checker,
  either,
  func,
  integer,
  object,
  oneOf,
  optional,
  satisfying,
  shaped,
  type Site,
  string,
} from "westend/connector";
import type {
  DelayedTopic,
  KafkaConnectionOptions,
  KafkaDeadLetterOptions,
  KafkaFetchOptions,
  KafkaOptions,
  KafkaTls,
  KafkaWriteOptions,
  RedriveOptions,
  RetryTopicsOptions,
  ToKafkaOptions,
} from "./options.ts";
import { timeoutsOf } from "./timeouts.ts";
import { addressOf, isLocal, usesTls } from "./connection.ts";

const MAX_INT = 2 ** 31 - 1;
const LONGEST_TOPIC = 249;

const milliseconds = (min: number): Checker => optional(integer({ min, max: MAX_INT }));
const bytes: Checker = optional(integer({ min: 1, max: MAX_INT }));
const word: Checker = satisfying(
  "a non-empty string without spaces",
  (value) => typeof value === "string" && /^\S+$/.test(value),
);
const oneOrMore = (item: Checker): Checker =>
  either((value) => Array.isArray(value), array(item, { nonEmpty: true }), item);

const broker: Checker = satisfying("host:port", (value) => {
  if (typeof value !== "string") return false;
  const { host, port } = addressOf(value);
  return host !== "" && port > 0 && port < 65_536;
});

const topic: Checker = satisfying(
  `the name of a topic: 1 to ${LONGEST_TOPIC} letters, digits, ".", "_" or "-"`,
  (value) =>
    typeof value === "string" &&
    value.length <= LONGEST_TOPIC &&
    /^[\w.-]+$/.test(value) &&
    value !== "." &&
    value !== "..",
);

/** Whatever is wrong with it, what it is must not be shown. */
const secret: Checker = {
  expected: "a non-empty string or a function that gives one",
  inspect(value, site) {
    const fits = typeof value === "function" || (typeof value === "string" && value !== "");
    if (!fits)
      site.mistakeInWords(this.expected, value === undefined ? "nothing" : "something else");
  },
};
/** Certificates and keys are `node:tls`'s business. */
const anything: Checker = satisfying("anything", () => true);

const scram = object({
  mechanism: oneOf("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
  username: secret,
  password: secret,
});
const oauth = object({ mechanism: oneOf("OAUTHBEARER"), token: secret });
const sasl: Checker = either(
  (value) => (value as { mechanism?: unknown }).mechanism === "OAUTHBEARER",
  oauth,
  scram,
);

const tls: Checker = either(
  (value) => typeof value === "boolean",
  boolean,
  object<KafkaTls>({
    ca: anything,
    cert: anything,
    key: anything,
    passphrase: anything,
    pfx: anything,
    servername: optional(string({ nonEmpty: true })),
    rejectUnauthorized: optional(boolean),
  }),
);

export const connectionShape: { readonly [Key in keyof KafkaConnectionOptions]-?: Checker } = {
  brokers: oneOrMore(broker),
  clientId: optional(word),
  tls: optional(tls),
  insecure: optional(boolean),
  sasl: optional(sasl),
  connectTimeout: milliseconds(1),
};

/** What travels in the clear has to be wanted in so many words. */
export function checkSecurity(value: object, site: Site): void {
  const options = value as KafkaConnectionOptions;
  if (options.insecure === true || !hasBrokers(options) || usesTls(options)) return;
  if (options.sasl !== undefined) {
    site.at("sasl").mistakeInWords("TLS under it", "credentials without TLS", INSECURE);
  } else if (!isLocal(options.brokers)) {
    site.at("tls").mistakeInWords("TLS to other machines", "false", INSECURE);
  }
}

const INSECURE = "Leave `tls` at its default, or spell out `insecure: true`";

/** There is nothing to say about brokers that are none. */
function hasBrokers({ brokers }: KafkaConnectionOptions): boolean {
  const all: readonly unknown[] = Array.isArray(brokers) ? brokers : [brokers];
  return all.every((one) => typeof one === "string" && addressOf(one).host !== "");
}

const start: Checker = either(
  (value) => typeof value === "object",
  object({ timestamp: integer({ min: 0 }) }),
  oneOf("earliest", "latest"),
);

const fetchOptions: Checker = object<KafkaFetchOptions>({
  minBytes: bytes,
  maxBytes: bytes,
  maxBytesPerPartition: bytes,
  maxWait: milliseconds(1),
});

const delayedTopics: Checker = array(
  object<DelayedTopic>({ topic, delay: integer({ min: 1, max: MAX_INT }) }),
  { nonEmpty: true },
);

const kafkaOptions: Checker = object<KafkaOptions>(
  {
    ...connectionShape,
    groupId: word,
    topics: oneOrMore(topic),
    delayed: optional(delayedTopics),
    groupInstanceId: optional(word),
    from: optional(start),
    ignoreCommitted: optional(boolean),
    orderBy: optional(oneOf("key", "partition", "none")),
    finite: optional(boolean),
    isolation: optional(oneOf("committed", "uncommitted")),
    fetch: optional(fetchOptions),
    commitInterval: milliseconds(1),
    transactionalId: optional(word),
    maxAhead: optional(integer({ min: 1, max: 1_000_000 })),
    sessionTimeout: milliseconds(1),
    rebalanceTimeout: milliseconds(1),
    heartbeatInterval: milliseconds(1),
    revokeTimeout: milliseconds(0),
    progressTimeout: milliseconds(1),
    onFailure: optional(oneOf("retry", "commit")),
    retryDelay: milliseconds(0),
    maxMessageBytes: bytes,
    maxHeaders: optional(integer({ min: 0, max: MAX_INT })),
    maxBatchBytes: bytes,
    driver: optional(func),
  },
  {
    hints: {
      fromBeginning: 'Did you mean "from": "earliest"?',
      autoCommit: "Offsets are committed when messages have ended; see commitInterval",
    },
    also(value, site) {
      checkSecurity(value, site);
      checkTimeouts(value as KafkaOptions, site);
    },
  },
);

/** The group has to hear from a member several times in a session, also one that is giving partitions away. */
function checkTimeouts(options: KafkaOptions, site: Site): void {
  const { session, rebalance, heartbeat, revoke } = timeoutsOf(options);
  if (![session, rebalance, heartbeat, revoke].every(Number.isInteger)) return;
  const atMost = (key: string, value: number, limit: number, what: string): void => {
    if (value > limit) site.at(key).mistakeInWords(`at most ${what} (${limit})`, String(value));
  };
  atMost("heartbeatInterval", heartbeat, Math.floor(session / 3), "a third of sessionTimeout");
  atMost("sessionTimeout", session, rebalance, "rebalanceTimeout");
  atMost("revokeTimeout", revoke, session - 1, "less than sessionTimeout");
}

/** @throws ConfigurationError that lists every mistake. */
export function checkKafkaOptions(options: KafkaOptions): void {
  check("kafka", options, kafkaOptions);
}

const writeShape: { readonly [Key in keyof KafkaWriteOptions]-?: Checker } = {
  compression: optional(oneOf("none", "gzip", "snappy", "lz4", "zstd")),
  batchBytes: bytes,
  deliveryTimeout: milliseconds(1),
};

const toKafkaOptions: Checker = object<ToKafkaOptions>(
  { ...connectionShape, ...writeShape, topic: optional(topic) },
  { also: checkSecurity },
);

/** @throws ConfigurationError that lists every mistake. */
export function checkToKafkaOptions(options: ToKafkaOptions): void {
  check("toKafka", options, toKafkaOptions);
}

const deadLetterOptions: Checker = object<KafkaDeadLetterOptions>(
  { ...connectionShape, ...writeShape, topic, seal: optional(func) },
  { also: checkSecurity },
);

/** @throws ConfigurationError that lists every mistake. */
export function checkDeadLetterOptions(options: KafkaDeadLetterOptions): void {
  check("kafkaDeadLetter", options, deadLetterOptions);
}

const retryTopicsOptions: Checker = object<RetryTopicsOptions>(
  {
    ...connectionShape,
    ...writeShape,
    delayed: delayedTopics,
    deadLetter: shaped({ write: func }, "a dead-letter sink"),
    when: optional(func),
  },
  { also: checkSecurity },
);

/** @throws ConfigurationError that lists every mistake. */
export function checkRetryTopicsOptions(options: RetryTopicsOptions): void {
  check("retryTopics", options, retryTopicsOptions);
}

const redriveOptions: Checker = object<RedriveOptions>(
  {
    ...connectionShape,
    ...writeShape,
    topic,
    by: string({ nonEmpty: true }),
    filter: optional(func),
    edit: optional(func),
    limit: optional(integer({ min: 1, max: MAX_INT })),
    dryRun: optional(boolean),
  },
  { also: checkSecurity },
);

/** @throws ConfigurationError that lists every mistake. */
export function checkRedriveOptions(options: RedriveOptions): void {
  check("redrive", options, redriveOptions);
}
