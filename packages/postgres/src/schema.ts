import { randomUUID } from "node:crypto";
import { ConfigurationError } from "westend";
import { checkVersion, only } from "./catalogue.ts";
import type { Database, Run } from "./database.ts";
import { quote } from "./quote.ts";

/** Version of the tables below. Those of a newer release are left alone. */
const SCHEMA_VERSION = "1";

/** May be leased, unless it is behind others of its key. */
export const READY = 0;
/** Leased until `due`, or failed and waiting until then; holds back what is behind it in its key. */
export const HELD = 1;
/** Enqueued for later: not before `due`. Holds nothing back. */
export const DELAYED = 2;

/** One index per question asked: which are ready, which fall due, which of a key are held, which come first of it. */
const tables = (schema: string): readonly string[] => [
  `create table ${schema}.meta (name text primary key, value text not null)`,
  `create table ${schema}.inbox (consumer text not null, id text not null, at timestamptz not null default now(),
    primary key (consumer, id))`,
  `create index inbox_age on ${schema}.inbox (consumer, at)`,
  `create table ${schema}.message (
    id bigint generated always as identity primary key, queue text not null, state smallint not null,
    due timestamptz not null, owner uuid, token uuid, attempts integer not null default 0,
    enqueued_at timestamptz not null default clock_timestamp(), key text, coding smallint not null, payload bytea not null)`,
  `create index message_ready on ${schema}.message (queue, id) where state = ${READY}`,
  `create index message_due on ${schema}.message (queue, due) where state <> ${READY}`,
  `create index message_held on ${schema}.message (queue, key) where state = ${HELD} and key is not null`,
  `create index message_key on ${schema}.message (queue, key, id) where key is not null`,
  `create table ${schema}.dead_letter (
    id bigint generated always as identity primary key, queue text not null, identity text unique, key text,
    coding smallint not null, payload bytea not null, metadata text not null, pipeline text not null, source text not null,
    batcher text, error_name text not null, error_code text, error_message text not null, error_stack text,
    attempts integer not null, received_at timestamptz not null, failed_at timestamptz not null)`,
  `create index dead_letter_age on ${schema}.dead_letter (queue, failed_at)`,
  `create table ${schema}.audit (
    id bigint generated always as identity primary key, queue text not null, at timestamptz not null default now(),
    action text not null, by text not null, filter text not null, edited boolean not null, count integer not null default 0)`,
  `insert into ${schema}.meta values ('version', '${SCHEMA_VERSION}'), ('database', '${randomUUID()}')`,
];

/** Processes that start at the same time must not create the tables at the same time. */
const LOCK = "select pg_advisory_xact_lock(hashtext('westend schema'))";

/**
 * Creates the tables where they are missing. Returns the database's own random id.
 * @throws ConfigurationError if the tables are of a newer release, or not ours.
 */
export async function prepareSchema(database: Database, schema: string): Promise<string> {
  const known = await database.use(({ query }) => isPrepared(query, schema));
  return database.transaction(({ query }) => prepare(query, schema, known));
}

/** The same, in a transaction of the user's; `created` says whether the tables are gone if that is rolled back. */
export async function prepareIn(
  run: Run,
  schema: string,
): Promise<{ readonly id: string; readonly created: boolean }> {
  const known = await isPrepared(run, schema);
  return { id: await prepare(run, schema, known), created: !known };
}

async function isPrepared(run: Run, schema: string): Promise<boolean> {
  await checkVersion(run, "@westend/postgres");
  return hasTables(run, schema);
}

async function prepare(run: Run, schema: string, known: boolean): Promise<string> {
  if (!known) await create(run, schema);
  return check(run, schema);
}

async function hasTables(run: Run, schema: string): Promise<boolean> {
  // Not `to_regclass`: what it remembers may be older than the lock.
  const text = `select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 and c.relname = 'meta') as found`;
  const row = only(await run({ text, values: [schema] }));
  return (row as { found: boolean }).found;
}

async function create(run: Run, schema: string): Promise<void> {
  await run({ text: LOCK });
  if (await hasTables(run, schema)) return;
  const text = "select exists (select from pg_namespace where nspname = $1) as found";
  const row = only(await run({ text, values: [schema] }));
  // Not `if not exists`: that asks for the right to create schemas even if there is nothing to do.
  if (!(row as { found: boolean }).found) {
    await run({ text: `create schema ${quote(schema)}` });
  }
  for (const statement of tables(quote(schema))) await run({ text: statement });
}

async function check(run: Run, schema: string): Promise<string> {
  const { rows } = await run({ text: `select name, value from ${quote(schema)}.meta` });
  const meta = new Map(
    (rows as { name: string; value: string }[]).map((row) => [row.name, row.value]),
  );
  const [version, database] = [meta.get("version"), meta.get("database")];
  if (version === SCHEMA_VERSION && database !== undefined) return database;
  const newer = Number(version) > Number(SCHEMA_VERSION);
  throw new ConfigurationError("@westend/postgres", [
    {
      path: "schema",
      expected: `a schema with tables of version ${SCHEMA_VERSION}`,
      got: newer ? `version ${version}` : "tables that are not ours",
      hint: newer
        ? "A newer release of @westend/postgres made them: upgrade this one; nothing was changed"
        : "Give another `schema`; nothing was changed",
    },
  ]);
}
