import type { Store } from "../store.ts";
import type { Reader, Writer } from "../wire.ts";

/** What a handler knows beside the request. */
export interface Context {
  readonly store: Store;
  /** Where clients reach the broker. */
  readonly port: number;
  /** The error to answer with, made up by a test; 0 for none. The request is not carried out then. */
  readonly error: number;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

/** Reads a request of the one version there is and answers it; `undefined` if the client wants no answer. */
export type Handler = (
  request: Reader,
  context: Context,
) => Writer | undefined | Promise<Writer | undefined>;
