import { randomBytes } from "node:crypto";
import { ConfigurationError } from "westend";
import type { SqliteClient } from "./client.ts";
import { NOBODY } from "./token.ts";

/** Version of the tables below. A file with a higher one was written by a newer release and is left alone. */
export const SCHEMA_VERSION = 1;

/** May be leased. */
export const READY = 0;
/** Leased until `due`, or waiting until then to be tried again. */
export const HELD = 1;
/** Behind a message of its key that somebody else has; out of sight of those who look for ready ones. */
export const PARKED = 2;
/** Enqueued for later: not before `due`. */
export const DELAYED = 3;

/**
 * One partial index per question asked: which are ready, which fall due, which of a key are held, which of a key are parked.
 * A message is in one or two of them at a time.
 */
const TABLES = `
CREATE TABLE westend_meta (
  name TEXT PRIMARY KEY, value ANY NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE westend_queue (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE westend_message (
  id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, state INTEGER NOT NULL,
  due INTEGER NOT NULL, token INTEGER NOT NULL,
  attempts INTEGER NOT NULL, enqueued_at INTEGER NOT NULL,
  checksum INTEGER NOT NULL, key TEXT, payload ANY NOT NULL
) STRICT;
CREATE INDEX westend_ready ON westend_message (queue) WHERE state = ${READY};
CREATE INDEX westend_held ON westend_message (queue, due) WHERE state = ${HELD};
CREATE INDEX westend_delayed ON westend_message (queue, due) WHERE state = ${DELAYED};
CREATE INDEX westend_held_key ON westend_message (queue, key) WHERE state = ${HELD} AND key IS NOT NULL;
CREATE INDEX westend_parked ON westend_message (queue, key) WHERE state = ${PARKED};
CREATE TABLE westend_dead_letter (
  id INTEGER PRIMARY KEY AUTOINCREMENT, queue INTEGER NOT NULL, identity TEXT UNIQUE,
  checksum INTEGER NOT NULL, key TEXT, payload ANY NOT NULL,
  metadata TEXT NOT NULL, pipeline TEXT NOT NULL, source TEXT NOT NULL, batcher TEXT,
  error_name TEXT NOT NULL, error_code TEXT, error_message TEXT NOT NULL, error_stack TEXT,
  attempts INTEGER NOT NULL, received_at INTEGER NOT NULL, failed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX westend_dead_letter_age ON westend_dead_letter (queue, failed_at);
CREATE TABLE westend_audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT, queue INTEGER NOT NULL, at INTEGER NOT NULL,
  action TEXT NOT NULL, by TEXT NOT NULL, filter TEXT NOT NULL, edited INTEGER NOT NULL, count INTEGER NOT NULL
) STRICT;
`;

/**
 * Creates the tables where they are missing; call it in a transaction. Returns the file's own random id.
 * @throws ConfigurationError if the tables are of a newer release, or not ours.
 */
export function prepareSchema(client: SqliteClient): string {
  const known = client
    .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'westend_meta'")
    .get();
  if (known === undefined) {
    client.exec(TABLES);
    client
      .prepare(
        `INSERT INTO westend_meta VALUES ('version', ?), ('file', ?), ('sequence', 0), ('owner', ${NOBODY})`,
      )
      .run(SCHEMA_VERSION, randomBytes(8).toString("hex"));
  }
  const version = metaOf(client, "version");
  const file = metaOf(client, "file");
  if (version === SCHEMA_VERSION && typeof file === "string") return file;
  const newer = typeof version === "number" && version > SCHEMA_VERSION;
  throw new ConfigurationError("@westend/sqlite", [
    {
      path: "path",
      expected: `a file with queue tables of version ${SCHEMA_VERSION}`,
      got: newer ? `version ${version}` : "tables that are damaged or not ours",
      hint: newer
        ? "A newer release of @westend/sqlite wrote the file: upgrade this one; nothing was changed"
        : "Nothing was changed",
    },
  ]);
}

function metaOf(client: SqliteClient, name: string): unknown {
  const row = client.prepare("SELECT value FROM westend_meta WHERE name = ?").get(name);
  return (row as { value: unknown } | undefined)?.value;
}

/** Finds the number of a queue by its name, giving it one at first; call it in a transaction. */
export function numberOfQueue(client: SqliteClient, name: string): number {
  client.prepare("INSERT INTO westend_queue (name) VALUES (?) ON CONFLICT DO NOTHING").run(name);
  const row = client.prepare("SELECT id FROM westend_queue WHERE name = ?").get(name);
  return (row as { id: number }).id;
}
