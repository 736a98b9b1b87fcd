import { createHash } from "node:crypto";
import { execute, type PostgresTarget, type PostgresTransaction } from "./client.ts";
import { Database } from "./database.ts";
import { explain } from "./failures.ts";
import type { PostgresStoreOptions } from "./options.ts";
import { quote } from "./quote.ts";
import { prepareIn, prepareSchema } from "./schema.ts";

/** Bytes. Postgres refuses longer names of channels, and cuts those of statements. */
const LONGEST_NAME = 63;

/** In which tables were created, be it by another store: they may be gone again. */
const creators = new WeakSet<PostgresTransaction>();

/** The tables of Westend in a database; created when they are first needed. */
export class Store {
  readonly database: Database;
  readonly #schema: string;
  /** Stands for the schema where its name would be too long. */
  readonly #tag: string;
  #opening: Promise<string> | undefined;
  #id: string | undefined;

  constructor(target: PostgresTarget, options: PostgresStoreOptions) {
    this.database = new Database(target, options.timeout);
    this.#schema = options.schema ?? "westend";
    this.#tag = createHash("sha256").update(this.#schema).digest("hex").slice(0, 32);
  }

  /** Resolves with the random id of the database. Tried again at the next call if it fails. */
  open(): Promise<string> {
    this.#opening ??= this.#prepare();
    return this.#opening;
  }

  async #prepare(): Promise<string> {
    try {
      this.#id = await prepareSchema(this.database, this.#schema);
      return this.#id;
    } catch (error) {
      this.#opening = undefined;
      throw explain(error);
    }
  }

  /**
   * The same in a transaction of the user's, by its own connection: the pool may have no other, and on a single connection a transaction
   * of ours would end the user's.
   */
  async openIn(transaction: PostgresTransaction): Promise<string> {
    if (this.#id !== undefined) return this.#id;
    try {
      const { id, created } = await prepareIn(
        async (statement) => execute(transaction, statement),
        this.#schema,
      );
      if (created) creators.add(transaction);
      if (!creators.has(transaction)) this.#id = id;
      return id;
    } catch (error) {
      throw explain(error);
    }
  }

  /** A table, as SQL takes it. */
  table(name: "inbox" | "message" | "dead_letter" | "audit"): string {
    return `${quote(this.#schema)}.${name}`;
  }

  /** What listeners are told by. */
  get channel(): string {
    const channel = `westend:${this.#schema}`;
    return Buffer.byteLength(channel) <= LONGEST_NAME ? channel : `westend:${this.#tag}`;
  }

  /** The name of a statement that is prepared for these tables; they may be in several schemas of one database. */
  statement(name: string): string {
    return `westend_${name}_${this.#tag}`;
  }
}
