import type { ApiName } from "./protocol.ts";

/** What is to go wrong with a request. */
export interface RequestFault {
  /** The error code to answer with; the request is not carried out. */
  readonly error?: number;
  /** Closes the connection: before the request is carried out, or after, so that only the answer is lost. */
  readonly drop?: "before" | "after";
  /** Never answers; the request is not carried out. */
  readonly hang?: boolean;
  /** How many requests it concerns; default 1. */
  readonly times?: number;
}

/** Faults that wait for their requests. */
export class RequestFaults {
  readonly #waiting = new Map<ApiName, { fault: RequestFault; left: number }[]>();

  add(api: ApiName, fault: RequestFault): void {
    const waiting = this.#waiting.get(api) ?? [];
    waiting.push({ fault, left: fault.times ?? 1 });
    this.#waiting.set(api, waiting);
  }

  clear(): void {
    this.#waiting.clear();
  }

  /** The fault for the request that has come. */
  take(api: ApiName): RequestFault | undefined {
    const waiting = this.#waiting.get(api);
    const next = waiting?.[0];
    if (waiting === undefined || next === undefined) return undefined;
    next.left -= 1;
    if (next.left <= 0) waiting.shift();
    return next.fault;
  }
}
