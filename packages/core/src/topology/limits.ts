import type { RateLimit } from "../rate-limit.ts";

interface BatcherLimits {
  readonly size?: number | undefined;
  readonly timeout?: number | undefined;
  readonly concurrency?: number | undefined;
}

/** Limits that can be changed while a pipeline runs. */
export interface Limits {
  readonly processor?: { readonly concurrency?: number | undefined } | undefined;
  readonly batchers?: Readonly<Record<string, BatcherLimits | undefined>> | undefined;
  readonly rateLimit?: RateLimit | null | undefined;
  readonly maxInFlight?: number | undefined;
}

/** Names what is set, as a user would write it: `batchers.events.size`. */
export function pathsOf(changes: object): string[] {
  return Object.entries(changes).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (name === "rateLimit" || typeof value !== "object") return [name];
    return pathsOf(value).map((path) => `${name}.${path}`);
  });
}
