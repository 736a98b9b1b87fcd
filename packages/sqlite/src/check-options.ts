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
  refuseText,
  satisfying,
  shaped,
  type Site,
  string,
} from "westend/connector";
import type { SqliteClient } from "./client.ts";
import type {
  SqliteDatabaseOptions,
  SqliteDeadLetterOptions,
  SqliteOptions,
  SqliteQueueOptions,
} from "./options.ts";
import type { EnqueueOptions } from "./queue.ts";
import type { BatchInsertOptions } from "./sink.ts";

const LONGEST_NAME = 256;

const milliseconds = (min: number): Checker =>
  optional(number({ min, max: Number.MAX_SAFE_INTEGER / 4 }));

const client: Checker = shaped({ exec: func, prepare: func, close: func }, "a SQLite connection");
const queue: Checker = shaped({ opened: func, enqueue: func }, "a queue of `sqliteQueue`");
const clock: Checker = shaped(
  { now: func, date: func, setTimer: func, clearTimer: func, defer: func },
  "a clock",
);

/** Names that come back from every version of SQLite and Node as they were given. */
const name: Checker = satisfying(
  `text of 1 to ${LONGEST_NAME} characters`,
  (value) =>
    typeof value === "string" &&
    value !== "" &&
    value.length <= LONGEST_NAME &&
    !value.includes("\0") &&
    value.isWellFormed(),
);

const database: { readonly [Key in keyof SqliteDatabaseOptions]-?: Checker } = {
  path: optional(string({ nonEmpty: true })),
  client: optional(client),
  synchronous: optional(oneOf("full", "normal")),
  busyTimeout: milliseconds(0),
};

/** Exactly one of these has to be given. */
function oneOfThem(...keys: readonly string[]): {
  also: (value: object, site: Site) => void;
} {
  const listed = keys.map((key) => `\`${key}\``).join(" or ");
  return {
    also(value, site) {
      const given = keys.filter((key) => (value as Record<string, unknown>)[key] !== undefined);
      if (given.length === 1) return;
      site
        .at(given[1] ?? "path")
        .mistakeInWords(`either ${listed}`, given.length === 0 ? "none" : given.join(" and "));
    },
  };
}

const queueOptions: Checker = object<SqliteQueueOptions>(
  { ...database, name: optional(name), linger: milliseconds(0), clock: optional(clock) },
  oneOfThem("path", "client"),
);

const sqliteOptions: Checker = object<SqliteOptions>(
  {
    ...database,
    queue: optional(queue),
    name: optional(name),
    lease: milliseconds(1),
    idle: milliseconds(1),
    finite: optional(boolean),
    onFailure: optional(oneOf("retry", "deadLetter")),
    retryDelay: milliseconds(0),
  },
  oneOfThem("queue", "path", "client"),
);

const deadLetterOptions: Checker = object<SqliteDeadLetterOptions>(
  {
    ...database,
    queue: optional(queue),
    name: optional(name),
    ttl: milliseconds(0),
    seal: optional(func),
    identify: optional(func),
  },
  oneOfThem("queue", "path", "client"),
);

const names: Checker = array(string({ nonEmpty: true }), { nonEmpty: true });

const insertOptions: Checker = object<BatchInsertOptions>(
  {
    table: string({ nonEmpty: true }),
    columns: optional(names),
    key: optional(names),
    onConflict: optional(oneOf("ignore", "replace")),
    synchronous: optional(oneOf("full", "normal")),
  },
  {
    also(value, site) {
      const { onConflict, key } = value as BatchInsertOptions;
      if (onConflict !== "replace" || key !== undefined) return;
      site.at("key").mistakeInWords("the columns by which a row is recognised", "undefined");
    },
  },
);

export function checkQueueOptions(options: SqliteQueueOptions): void {
  check("sqliteQueue", options, queueOptions);
}

export function checkSqliteOptions(options: SqliteOptions): void {
  check("sqlite", options, sqliteOptions);
}

export function checkDeadLetterOptions(options: SqliteDeadLetterOptions): void {
  check("sqliteDeadLetter", options, deadLetterOptions);
}

/** Text is an iterable, too: of characters, each of which would be a message. */
export function checkMessages(messages: unknown): void {
  refuseText("enqueueAll", "messages", messages);
}

const ENQUEUED: readonly (keyof EnqueueOptions)[] = ["key", "delay"];
const MESSAGE: readonly (keyof NewMessage)[] = ["payload", "key", "delay"];

export function checkEnqueueOptions(options: EnqueueOptions): void {
  checkNames("enqueue", options, ENQUEUED);
}

export function checkNewMessage(message: NewMessage): void {
  checkNames("enqueueAll", message, MESSAGE);
}

export function checkInsertOptions(
  target: string | SqliteClient,
  options: BatchInsertOptions,
): void {
  check("batchInsert", options, insertOptions);
  if (typeof target === "string" && target !== "") return;
  check("batchInsert", { target }, object({ target: client }));
}
