import { HandlerResultError } from "../errors.ts";
import type { PartitionKey } from "../message.ts";
import { describeValue } from "../options/words.ts";

/** A key may be any string, number or bigint, or nothing. */
export function checkKey(key: unknown, path: string): PartitionKey | undefined {
  if (key === undefined || typeof key === "string" || typeof key === "number") return key;
  if (typeof key === "bigint") return key;
  throw new HandlerResultError(
    `${path}: expected a string, a number, a bigint or undefined, got ${describeValue(key, true)}.`,
  );
}
