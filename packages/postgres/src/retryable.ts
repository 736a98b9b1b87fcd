import { ConfigurationError } from "westend";

/** SQLSTATEs and their classes (two characters) after which trying again may help. */
const RETRYABLE = new Set([
  "08", // the connection; a violation of the protocol (08P01) is what PgBouncer calls it when its server is gone
  "40", // rolled back: a deadlock, a serialization failure
  "53", // out of memory, disk or connections
  "57", // cancelled, shut down, starting up
  "58", // trouble of the server's machine
  "25006", // read-only: a standby that is about to be promoted
  "25P03", // idle in a transaction for too long: the process was held up
  "55006", // in use
  "55P03", // a lock was not to be had
]);

/** Of those classes, what will be no other the next time. */
const FINAL = new Set([
  "57P04", // the database was dropped
]);

const NETWORK = new Set([
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EAI_AGAIN",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETRESET",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

/** What `pg` says when a connection is lost; those errors have no code. */
const LOST =
  /^(connection terminated|client has encountered a connection error|client was closed|query read timeout|timeout e?x|connection closed|server closed)/i;

/** The SQLSTATE of an error of the server, if it is one. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = codeOf(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !NETWORK.has(code) ? code : undefined;
}

/**
 * Whether trying again may help: the connection was lost, the server is starting, stopping or out of room, a deadlock, a serialization
 * failure, a lock that was not to be had. What the data is to blame for is not. `"stop"` if it is this package's `ConfigurationError`: the
 * table, the rights or the password are not what they were, and every message would become a dead letter; the pipeline ends with it.
 * @example
 * ```ts
 * // batchers: { events: { retry: retry({ attempts: 20, when: retryable }), handle: (messages) => events.handle(messages) } }
 * ```
 */
export function retryable(error: unknown): boolean | "stop" {
  if (error instanceof ConfigurationError) return "stop";
  const state = sqlStateOf(error);
  if (state === undefined) return isDisconnect(error);
  if (FINAL.has(state)) return false;
  if (isStale(error)) return true;
  return RETRYABLE.has(state) || RETRYABLE.has(state.slice(0, 2));
}

/** Whether the connection is gone, or never was. */
export function isDisconnect(error: unknown): boolean {
  if (error instanceof StatementTimeout) return true;
  const code = codeOf(error);
  if (code !== undefined && NETWORK.has(code)) return true;
  if (sqlStateOf(error) !== undefined) return /^(08|57P0[1-3])/.test(code as string);
  return error instanceof Error && LOST.test(error.message);
}

/**
 * Whether another connection may do better: this one is lost; its server can only be read since another took over; or what was prepared
 * on it no longer fits a table that was altered.
 */
export function isSpent(error: unknown): boolean {
  return isDisconnect(error) || sqlStateOf(error) === "25006" || isStale(error);
}

/** A plan whose result has another type by now; the code says no more than "not supported". */
function isStale(error: unknown): boolean {
  if (sqlStateOf(error) !== "0A000") return false;
  return (error as { readonly routine?: unknown }).routine === "RevalidateCachedQuery";
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { code } = error as { readonly code?: unknown };
  return typeof code === "string" ? code : undefined;
}

/** The server did not answer in time. Its connection was closed, and whether the statement was carried out is unknown. */
export class StatementTimeout extends Error {
  override readonly name = "StatementTimeout";
  readonly code = "ETIMEDOUT";

  constructor(timeout: number) {
    super(
      `PostgreSQL did not answer within ${timeout} ms; the connection was closed. ` +
        "If statements take that long, raise `timeout`; else look at the network, and for locks",
    );
  }
}
