// Rows are typed by the columns; clients by what is needed of them.
import type { PGliteLike } from "./clients.ts";
import type pg from "pg";
import { definePipeline, fromIterable, retry } from "westend";
import { batchInsert, retryable, type RowOf } from "@westend/postgres";

/** Fails to compile unless both types are the same. */
type Same<One, Other> = [One, Other] extends [Other, One] ? true : never;

declare const pool: pg.Pool;
declare const client: pg.Client;
declare const taken: pg.PoolClient;
declare const pglite: PGliteLike;

const events = batchInsert(pool, {
  table: "events",
  columns: { id: "bigint", user: "text", at: "timestamptz", tags: "text[]", note: "jsonb | null" },
  key: ["id"],
  onConflict: "ignore",
});

// A row of the columns.
interface Event {
  readonly id: number | bigint | string;
  readonly user: string;
  readonly at: Date | string;
  readonly tags: readonly (string | null)[];
  readonly note?: unknown;
}
await events.insert([{ id: 1n, user: "a", at: new Date(), tags: ["a", null] }] satisfies Event[]);
true satisfies Same<
  RowOf<{ id: "integer"; raw: "bytea | null" }>,
  { readonly id: number; readonly raw?: Uint8Array | null | undefined }
>;

// In a transaction of the user's.
await events.insert([], taken);

// Any client.
batchInsert(client, { table: "t", columns: { id: "integer" } });
batchInsert(taken, { table: "t", columns: { id: "integer" } });
batchInsert(pglite, { table: "t", columns: { id: "integer" } });

// The batcher takes what the sink takes.
definePipeline({
  name: "right",
  producer: fromIterable([1]),
  processor: {
    handle: (message) =>
      message.to("events", { id: message.data, user: "a", at: new Date(), tags: [] }),
  },
  batchers: {
    events: { size: 100, retry: retry({ attempts: 9, when: retryable }), handle: events.handle },
  },
});

definePipeline({
  name: "wrong",
  producer: fromIterable(["a"]),
  processor: {
    handle: (message) =>
      message.to("events", { id: true, user: message.data, at: new Date(), tags: [] }),
  },
  // @ts-expect-error -- a boolean is no bigint
  batchers: { events: { handle: events.handle } },
});

// @ts-expect-error -- a misspelt type
batchInsert(pool, { table: "t", columns: { id: "bigin" } });
// @ts-expect-error -- a key that is no column
batchInsert(pool, { table: "t", columns: { id: "bigint" }, key: ["idd"] });
// @ts-expect-error -- a column is missing
await events.insert([{ id: 1, user: "a", at: new Date() }]);
// @ts-expect-error -- null where the column may not be null
await events.insert([{ id: null, user: "a", at: new Date(), tags: [] }]);
// @ts-expect-error -- an array of another type
await events.insert([{ id: 1, user: "a", at: new Date(), tags: [1] }]);
// @ts-expect-error -- no client at all
batchInsert("postgres://localhost", { table: "t", columns: { id: "bigint" } });
