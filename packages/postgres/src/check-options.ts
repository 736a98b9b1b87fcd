import {
  array,
  boolean,
  check,
  type Checker,
  checkNames,
  func,
  type NewMessage,
  number,
  object,
  oneOf,
  optional,
  record,
  refuseText,
  satisfying,
  shaped,
  string,
} from "westend/connector";
import type { PostgresTarget } from "./client.ts";
import { parseType, SCALAR_TYPES } from "./column-types.ts";
import type { InboxOptions } from "./inbox.ts";
import type {
  BatchInsertOptions,
  PostgresDatabaseOptions,
  PostgresDeadLetterOptions,
  PostgresOptions,
  PostgresQueueOptions,
  PostgresStoreOptions,
} from "./options.ts";
import type { EnqueueOptions } from "./queue.ts";

const has = (value: unknown, key: string): boolean =>
  typeof (value as Record<string, unknown>)[key] === "function";

const target: Checker = satisfying(
  "a pool of `pg`, a connection of it, or a PGlite",
  (value) => has(value, "query") || has(value, "connect"),
);

/** Of a timer. */
const milliseconds = (min: number): Checker => optional(number({ min, max: 2 ** 31 - 1 }));

/** Counted by the server. */
const span = (min: number): Checker => optional(number({ min, max: Number.MAX_SAFE_INTEGER / 4 }));

const database: { readonly [Key in keyof PostgresDatabaseOptions]-?: Checker } = {
  timeout: milliseconds(1),
};

/** Postgres cuts longer names in silence. */
const identifier: Checker = satisfying(
  "a name of 1 to 63 bytes",
  (value) =>
    typeof value === "string" &&
    value !== "" &&
    !value.includes("\0") &&
    value.isWellFormed() &&
    Buffer.byteLength(value) <= 63,
);

const store: { readonly [Key in keyof PostgresStoreOptions]-?: Checker } = {
  ...database,
  schema: optional(identifier),
};

const inboxOptions: Checker = object<InboxOptions>({
  ...store,
  name: identifier,
});

const queueOptions: Checker = object<PostgresQueueOptions>({
  ...store,
  name: optional(identifier),
  listen: optional(boolean),
});

const queue: Checker = shaped({ lease: func, enqueue: func }, "a queue of `postgresQueue`");

const postgresOptions: Checker = object<PostgresOptions>({
  queue,
  lease: milliseconds(1),
  idle: milliseconds(1),
  finite: optional(boolean),
  onFailure: optional(oneOf("retry", "deadLetter")),
  retryDelay: span(0),
});

const deadLetterOptions: Checker = object<PostgresDeadLetterOptions>({
  queue,
  ttl: span(0),
  seal: optional(func),
  identify: optional(func),
});

const columnType: Checker = satisfying(
  `one of ${SCALAR_TYPES.join(", ")}, with [] for an array and " | null" if it may be null`,
  (value) => typeof value === "string" && parseType(value) !== undefined,
);

const insertOptions: Checker = object<BatchInsertOptions>(
  {
    ...database,
    table: identifier,
    schema: optional(identifier),
    columns: record(columnType, { nonEmpty: true }),
    onConflict: optional(oneOf("ignore", "replace")),
    key: optional(array(string({ nonEmpty: true }), { nonEmpty: true })),
    returning: optional(array(identifier, { nonEmpty: true })),
    prepare: optional(boolean),
  },
  {
    also(value, site) {
      const { onConflict, key, columns } = value as BatchInsertOptions;
      if (onConflict === "replace" && key === undefined) {
        site.at("key").mistakeInWords("the columns by which a row is recognised", "undefined");
      }
      if (!Array.isArray(key) || typeof columns !== "object" || columns === null) return;
      const stray = (key as readonly string[]).filter((name) => !Object.hasOwn(columns, name));
      if (stray.length > 0)
        site.at("key").mistakeInWords("names out of `columns`", stray.join(", "));
    },
  },
);

/** Text is an iterable, too: of characters, each of which would be a message. */
export function checkMessages(messages: unknown): void {
  refuseText("enqueueAll", "messages", messages);
}

const ENQUEUED: readonly (keyof EnqueueOptions)[] = ["key", "delay", "transaction"];
const MESSAGE: readonly (keyof NewMessage)[] = ["payload", "key", "delay"];

export function checkEnqueueOptions(options: EnqueueOptions): void {
  checkNames("enqueue", options, ENQUEUED);
}

export function checkNewMessage(message: NewMessage): void {
  checkNames("enqueueAll", message, MESSAGE);
}

export function checkInsertOptions(client: PostgresTarget, options: object): void {
  check("batchInsert", { target: client, ...options }, withTarget(insertOptions));
}

export function checkInboxOptions(client: PostgresTarget, options: object): void {
  check("postgresInbox", { target: client, ...options }, withTarget(inboxOptions));
}

export function checkQueueOptions(client: PostgresTarget, options: object): void {
  check("postgresQueue", { target: client, ...options }, withTarget(queueOptions));
}

export function checkPostgresOptions(options: PostgresOptions): void {
  check("postgres", options, postgresOptions);
}

export function checkDeadLetterOptions(options: PostgresDeadLetterOptions): void {
  check("postgresDeadLetter", options, deadLetterOptions);
}

/** Mistakes in the first argument and in the options are reported together. */
function withTarget(options: Checker): Checker {
  return {
    expected: options.expected,
    inspect(value, site) {
      const { target: given, ...rest } = value as { target: unknown };
      target.inspect(given, site.at("target"));
      options.inspect(rest, site);
    },
  };
}
