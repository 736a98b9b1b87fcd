import { ConfigurationError, ProducerError } from "westend";

/** Primary result codes of SQLite that we tell apart. */
const BUSY = 5;
const LOCKED = 6;
const READ_ONLY = 8;
const IO = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const CONSTRAINT = 19;
const NOT_A_DATABASE = 26;

const NAMES: Readonly<Record<string, number>> = {
  SQLITE_BUSY: BUSY,
  SQLITE_LOCKED: LOCKED,
  SQLITE_READONLY: READ_ONLY,
  SQLITE_IOERR: IO,
  SQLITE_CORRUPT: CORRUPT,
  SQLITE_FULL: FULL,
  SQLITE_CANTOPEN: CANNOT_OPEN,
  SQLITE_CONSTRAINT: CONSTRAINT,
  SQLITE_NOTADB: NOT_A_DATABASE,
};

/** The primary result code of an error of `node:sqlite` (a number) or `better-sqlite3` (a name); undefined if it has none. */
function resultCode(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { errcode, code } = error as { errcode?: unknown; code?: unknown };
  if (typeof errcode === "number") return errcode & 0xff;
  if (typeof code !== "string") return undefined;
  const [, primary = ""] = /^(SQLITE_[A-Z]+)/.exec(code) ?? [];
  return NAMES[primary];
}

/** Whether somebody else holds the lock, so that trying again is the remedy. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === BUSY || code === LOCKED;
}

/** Whether there is no transaction that could be ended; its code is that of many errors. */
export function isOver(error: unknown): boolean {
  return error instanceof Error && /no transaction is active/.test(error.message);
}

/** Whether a value was refused by the table it was for. */
export function isConstraint(error: unknown): boolean {
  return resultCode(error) === CONSTRAINT;
}

const REMEDIES: Readonly<Record<number, string>> = {
  [BUSY]:
    "the file stayed locked by another connection; look for one that leaves a transaction open",
  [LOCKED]: "a table stayed locked by another statement of this connection",
  [READ_ONLY]: "the file or its folder is read-only",
  [IO]: "the disk reported an error",
  [CORRUPT]:
    "the file is damaged; stop every process that uses it and restore it, or try `sqlite3 old .recover | sqlite3 new`",
  [FULL]: "the disk is full; nothing of this was stored",
};

/** The error to show for one of SQLite: what happened and what to do, the original as its cause. */
export function explain(error: unknown): unknown {
  const code = resultCode(error);
  if (code === CANNOT_OPEN || code === NOT_A_DATABASE) {
    return new ConfigurationError("@westend/sqlite", [
      code === CANNOT_OPEN
        ? {
            path: "path",
            expected: "a file in a folder that exists and may be written to",
            got: "one SQLite cannot open",
            hint: "Create the folder first; it must not be read-only",
          }
        : {
            path: "path",
            expected: "a SQLite database",
            got: "a file of another kind, or an encrypted one",
          },
    ]);
  }
  const remedy = code === undefined ? undefined : REMEDIES[code];
  return remedy === undefined ? error : new ProducerError(`SQLite: ${remedy}`, { cause: error });
}
