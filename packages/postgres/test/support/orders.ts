import { batchInsert, type BatchInsertOptions } from "@westend/postgres";
import { testDatabase } from "./database.ts";

export const TABLE = `create domain percent as smallint check (value between 0 and 100);
  create type mood as enum ('good', 'bad');
  create table "or""ders" (
    id bigint primary key, cents integer not null check (cents >= 0), rate double precision, note varchar(5),
    raw bytea, paid boolean, price numeric(6, 2), day date, at timestamptz, local timestamp, ref uuid, data jsonb, plain json,
    tags text[], sizes integer[], documents jsonb[], share percent, mood mood, made text not null default 'here')`;

export const COLUMNS = { id: "bigint", cents: "integer", note: "text | null" } as const;

export async function orders(options: Partial<BatchInsertOptions<typeof COLUMNS>> = {}) {
  const database = await testDatabase(TABLE);
  const sink = batchInsert(database.pool, { table: 'or"ders', columns: COLUMNS, ...options });
  const rows = (): Promise<any[]> =>
    database.rows(`select id::int, cents, note from "or""ders" order by id`);
  return { ...database, sink, rows };
}

export const row = (id: number, cents = 1) => ({ id, cents });

export const reasonOf = (work: Promise<unknown>): Promise<any> =>
  work.then(
    () => new Error("it was taken"),
    (reason: unknown) => reason,
  );
