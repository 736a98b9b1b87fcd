// What an inbox gives to `apply` is the client's own connection, with all its methods.
import type { PGliteLike } from "./clients.ts";
import type pg from "pg";
import type { Message } from "westend";
import { postgresInbox, type PostgresTransaction, type TransactionOf } from "@westend/postgres";

/** Fails to compile unless both types are the same. */
type Same<One, Other> = [One, Other] extends [Other, One] ? true : never;

true satisfies Same<TransactionOf<pg.Pool>, pg.PoolClient>;
true satisfies Same<TransactionOf<{ query: pg.Client["query"] }>, PostgresTransaction>;

declare const pool: pg.Pool;
declare const pglite: PGliteLike;
declare const messages: Message<{ id: number }, { offset: bigint }>[];

const inbox = postgresInbox(pool, { name: "a" });
await inbox.handle(messages, {
  id: ({ metadata }) => `${metadata.offset}`,
  async apply(fresh, transaction) {
    await transaction.query("select $1", [fresh[0]?.data.id.toFixed()]);
    transaction.escapeIdentifier("a");
    // @ts-expect-error -- there is no such property
    void fresh[0]?.data.cents;
  },
});
await postgresInbox(pglite, { name: "a" }).handle(messages, {
  id: ({ data }) => String(data.id),
  apply: (_, transaction) => transaction.rollback(),
});

// @ts-expect-error -- an id is text
await inbox.handle(messages, { id: ({ metadata }) => metadata.offset, apply: () => undefined });
// @ts-expect-error -- a name is needed
postgresInbox(pool, {});
