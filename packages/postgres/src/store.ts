import type { PostgresTarget } from "./client.ts";
import { Database } from "./database.ts";
import { explain } from "./failures.ts";
import type { PostgresStoreOptions } from "./options.ts";
import { quote } from "./quote.ts";
import { prepareSchema } from "./schema.ts";

/** The tables of Westend in a database; created when they are first needed. */
export class Store {
  readonly database: Database;
  readonly #schema: string;
  #opening: Promise<string> | undefined;

  constructor(target: PostgresTarget, options: PostgresStoreOptions) {
    this.database = new Database(target, options.timeout);
    this.#schema = options.schema ?? "westend";
  }

  /** Resolves with the random id of the database. Tried again at the next call if it fails. */
  open(): Promise<string> {
    this.#opening ??= prepareSchema(this.database, this.#schema).catch((error: unknown) => {
      this.#opening = undefined;
      throw explain(error);
    });
    return this.#opening;
  }

  /** A table, as SQL takes it. */
  table(name: "inbox" | "message" | "dead_letter" | "audit"): string {
    return `${quote(this.#schema)}.${name}`;
  }

  /** What listeners are told by. */
  get channel(): string {
    return `westend:${this.#schema}`;
  }
}
