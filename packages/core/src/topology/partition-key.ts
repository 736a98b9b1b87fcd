import { HandlerResultError } from "../errors.ts";
import type { PartitionKey } from "../message.ts";
import { describeValue } from "../options/words.ts";

/** What a key may be, in words. */
export const KEY = "a string, a number, a bigint or undefined";

export function isKey(key: unknown): key is PartitionKey | undefined {
  return (
    key === undefined ||
    typeof key === "string" ||
    typeof key === "number" ||
    typeof key === "bigint"
  );
}

/** @throws HandlerResultError if it is none */
export function checkKey(key: unknown, path: string): PartitionKey | undefined {
  if (isKey(key)) return key;
  throw new HandlerResultError(`${path}: expected ${KEY}, got ${describeValue(key, true)}.`);
}
