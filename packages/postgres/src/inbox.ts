import type { Awaitable, Message } from "westend";
import { checkInboxOptions } from "./check-options.ts";
import type { PostgresTarget, PostgresTransaction } from "./client.ts";
import type { Session } from "./database.ts";
import { arrayText } from "./encode.ts";
import { explain } from "./failures.ts";
import { isolate, type Fault } from "./isolate.ts";
import type { PostgresStoreOptions } from "./options.ts";
import { isRowFault, rowErrorOf } from "./row-error.ts";
import { Store } from "./store.ts";

export interface InboxOptions extends PostgresStoreOptions {
  /** Who remembers: the same message may have an effect for each name. */
  readonly name: string;
}

/** The connection with the transaction, as the client has it: a `PoolClient` of `pg`, a `Transaction` of PGlite. */
export type TransactionOf<Target> = Target extends {
  transaction(work: (tx: infer Transaction extends PostgresTransaction) => never): unknown;
}
  ? Transaction
  : // Twice, because of an overloaded method TypeScript looks at as many signatures as are named here, from the last.
    Target extends {
        connect(): PromiseLike<infer Connection extends PostgresTransaction>;
        connect(callback: never): unknown;
      }
    ? Connection
    : PostgresTransaction;

export interface OnceOptions<Each, Transaction> {
  /**
   * What makes an effect recognisable when its message comes again: text, the same at every delivery. If one message was routed to the
   * batcher several times, each of those needs an id of its own; what has the id of another is taken for that one and left out.
   */
  readonly id: (message: Each) => string;
  /**
   * Has the effects of messages that had none before, by statements in the transaction. Called again with fewer messages if the server
   * refuses something for what is in it, after that was undone; so it must do nothing else. What it throws fails what it was given.
   */
  readonly apply: (messages: readonly Each[], transaction: Transaction) => Awaitable<unknown>;
}

interface Entry<Each> {
  readonly message: Each;
  readonly id: string;
}

/** Remembers messages in the transaction of their effects, so that each has its effects once. */
export interface PostgresInbox<Transaction = PostgresTransaction> {
  /** Creates the table now if it is missing; else the first batch does. */
  open(): Promise<void>;
  /**
   * Applies those messages of a batch that were not applied before, in one transaction with the record that they were. A message
   * the server refuses is failed alone, with a `RowError` as its reason, and not recorded.
   */
  handle<Each extends Message<unknown>>(
    messages: readonly Each[],
    options: OnceOptions<Each, Transaction>,
  ): Promise<void>;
  /**
   * Forgets messages recorded more than so many milliseconds ago; resolves with how many. It must be longer than a message can
   * come again after: the source's retention, or the longest outage you want to survive.
   */
  purge(options: { readonly olderThan: number }): Promise<number>;
}

/** Records deleted in one transaction. */
const GROUP = 10_000;

/**
 * A table that remembers which messages have had their effects: exactly once, for a source that delivers at least once.
 * @example
 * ```ts
 * const inbox = postgresInbox(pool, { name: "balances" });
 * // batchers: { balances: { handle: (messages) => inbox.handle(messages, {
 * //   id: ({ metadata }) => `${metadata.topic}/${metadata.partition}/${metadata.offset}`,
 * //   apply: (fresh, tx) => tx.query("update balance set …"),
 * // }) } }
 * ```
 * @throws ConfigurationError that lists every mistake in the options.
 */
export function postgresInbox<Target extends PostgresTarget>(
  target: Target,
  options: InboxOptions,
): PostgresInbox<TransactionOf<Target>> {
  checkInboxOptions(target, options);
  return new Inbox<TransactionOf<Target>>(target, options);
}

class Inbox<Transaction> implements PostgresInbox<Transaction> {
  readonly #store: Store;
  readonly #name: string;

  constructor(target: PostgresTarget, options: InboxOptions) {
    this.#store = new Store(target, options);
    this.#name = options.name;
  }

  async open(): Promise<void> {
    await this.#store.open();
  }

  async handle<Each extends Message<unknown>>(
    messages: readonly Each[],
    options: OnceOptions<Each, Transaction>,
  ): Promise<void> {
    await this.#store.open();
    const entries = identified(messages, options.id);
    if (entries.length === 0) return;
    const { database } = this.#store;
    try {
      await database.transaction((session) => this.#apply(session, entries, options));
      return;
    } catch (error) {
      if (!isRowFault(error)) throw explain(error);
    }
    const faults: readonly Fault<Entry<Each>>[] = await database.transaction((session) =>
      isolate(session, entries, (part) => this.#apply(session, part, options)),
    );
    for (const { item, error } of faults) item.message.fail(rowErrorOf(error, undefined));
  }

  async #apply<Each>(
    session: Session,
    entries: readonly Entry<Each>[],
    { apply }: OnceOptions<Each, Transaction>,
  ): Promise<void> {
    const fresh = await this.#record(session, entries);
    if (fresh.length === 0) return;
    const work = async (): Promise<unknown> => apply(fresh, session.client as Transaction);
    await session.bounded(work());
  }

  /** Those whose id was not there. What another transaction is recording is waited for. */
  async #record<Each>(session: Session, entries: readonly Entry<Each>[]): Promise<Each[]> {
    const byId = new Map<string, Each>();
    for (const { id, message } of entries) if (!byId.has(id)) byId.set(id, message);
    const { rows } = await session.query({
      text: `insert into ${this.#store.table("inbox")} (consumer, id) select $1, unnest($2::text[])
        on conflict do nothing returning id`,
      // In one order, so that two that record the same wait for each other one after the other.
      values: [this.#name, arrayText([...byId.keys()].sort())],
    });
    const recorded = new Set((rows as { id: string }[]).map(({ id }) => id));
    return [...byId].filter(([id]) => recorded.has(id)).map(([, message]) => message);
  }

  async purge({ olderThan }: { readonly olderThan: number }): Promise<number> {
    await this.#store.open();
    const table = this.#store.table("inbox");
    for (let purged = 0; ;) {
      const { rowCount, affectedRows } = await this.#store.database.query({
        text: `delete from ${table} where ctid in (select ctid from ${table}
          where consumer = $1 and at < now() - $2 * interval '1 millisecond' limit ${GROUP})`,
        values: [this.#name, olderThan],
      });
      const count = rowCount ?? affectedRows ?? 0;
      purged += count;
      if (count < GROUP) return purged;
    }
  }
}

/** A message that cannot be recognised is failed: applying it unrecorded might repeat it. */
function identified<Each extends Message<unknown>>(
  messages: readonly Each[],
  idOf: (message: Each) => string,
): Entry<Each>[] {
  const entries: Entry<Each>[] = [];
  for (const message of messages) {
    try {
      entries.push({ message, id: idOfText(idOf(message)) });
    } catch (error) {
      message.fail(error);
    }
  }
  return entries;
}

const LONGEST_ID = 1024;

function idOfText(id: unknown): string {
  if (typeof id === "string" && id !== "" && id.length <= LONGEST_ID && isKept(id)) return id;
  const got = typeof id === "string" ? "another text" : typeof id;
  throw new TypeError(
    `The id of a message for an inbox is text of 1 to ${LONGEST_ID} characters, without NUL and halves of surrogate pairs, got ${got}`,
  );
}

/** Whether the server gives it back as it was: a record that is not recognised would look like one that was there before. */
function isKept(id: string): boolean {
  return !id.includes("\0") && id.isWellFormed();
}
