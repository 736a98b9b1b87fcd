import { ConfigurationError, type ConfigurationIssue } from "westend";
import { isDisconnect, sqlStateOf } from "./retryable.ts";

const CONFIGURATION: Readonly<Record<string, Omit<ConfigurationIssue, "got">>> = {
  "28000": {
    path: "connection",
    expected: "a user the server lets in",
    hint: "Look at the user, the password, and the server's pg_hba.conf",
  },
  "28P01": {
    path: "connection",
    expected: "the password of the user",
    hint: "Correct the user or the password",
  },
  "3D000": {
    path: "connection",
    expected: "a database of the server",
    hint: "Correct its name, or create it",
  },
  "42501": {
    path: "connection",
    expected: "a user who may do this",
    hint: "Grant what is missing: mostly insert, select and update on the table, and usage on its schema",
  },
  "42703": {
    path: "table",
    expected: "the columns it had at the start",
    hint: "The table was altered: start again",
  },
  "42804": {
    path: "table",
    expected: "the columns it had at the start",
    hint: "The table was altered: start again",
  },
  "42P01": {
    path: "table",
    expected: "the table that was there at the start",
    hint: "It was dropped or renamed, or the search_path has changed",
  },
  "42P10": {
    path: "key",
    expected: "columns of which the table has a unique index",
    hint: "Create one without a condition, or correct `key`",
  },
};

/** The error to show for one of the client: what happened and what to do, the original as its cause. */
export function explain(error: unknown): unknown {
  const state = sqlStateOf(error);
  const known = state === undefined ? undefined : CONFIGURATION[state];
  if (known !== undefined) {
    const { message } = error as Error;
    const got = `SQLSTATE ${state}: ${message}`;
    const explained = new ConfigurationError("@westend/postgres", [{ ...known, got }]);
    explained.cause = error;
    return explained;
  }
  if (state !== undefined) return error;
  if (isUnreachable(error)) return new Unreachable(error);
  return error instanceof Error && NO_CONNECTION.test(error.message)
    ? new ConnectionTimeout("`connectionTimeoutMillis`", error)
    : error;
}

/** What `pg` says when no connection came about in `connectionTimeoutMillis`; those errors have no code. */
const NO_CONNECTION =
  /^(connection terminated due to connection timeout|timeout exceeded when trying to connect|timeout expired)/i;

interface NetworkError {
  readonly code: string;
  readonly address?: string;
  readonly hostname?: string;
  readonly port?: number;
  readonly errors?: readonly NetworkError[];
}

function isUnreachable(error: unknown): error is NetworkError {
  return isDisconnect(error) && /^(ECONNREFUSED|ENOTFOUND|EHOST|ENET)/.test(codeOf(error));
}

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown }).code);
}

/** Nobody answers there. `localhost` gives an error without any words: one for each of its addresses. */
class Unreachable extends Error {
  override readonly name = "Unreachable";
  readonly code: string;

  constructor(error: NetworkError) {
    const { address, hostname, port } = error.errors?.[0] ?? error;
    const where = [address ?? hostname, port].filter((part) => part !== undefined).join(":");
    super(
      `PostgreSQL cannot be reached (${[error.code, where].filter(Boolean).join(" ")}): is it running, and is the address right?`,
      { cause: error },
    );
    this.code = error.code;
  }
}

/** Nobody said no either: the server hangs, the network swallows packets, or all connections of the pool are taken. */
export class ConnectionTimeout extends Error {
  override readonly name = "ConnectionTimeout";
  readonly code = "ETIMEDOUT";

  constructor(within: string, cause?: Error) {
    super(
      `PostgreSQL gave no connection within ${within}: is it running, is the address right, and is the \`max\` of the pool enough?`,
      cause === undefined ? {} : { cause },
    );
  }
}
