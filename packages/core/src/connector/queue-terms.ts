import { check, type Checker, object, satisfying } from "../options.ts";
import type { NewMessage } from "./queue.ts";

const LONGEST_KEY = 1024;

/**
 * A message to be enqueued, checked: its key as it is stored, null if it has none, and its delay.
 * @throws TypeError or RangeError that says what is wrong, without the content.
 */
export function queueTerms({ payload, key, delay = 0 }: NewMessage): {
  readonly key: string | null;
  readonly delay: number;
} {
  if (typeof payload !== "string" && !((payload as unknown) instanceof Uint8Array)) {
    throw new TypeError(`A payload is text or bytes, got ${typeName(payload)}`);
  }
  if (typeof delay !== "number" || !(delay >= 0) || delay > Number.MAX_SAFE_INTEGER / 2) {
    throw new RangeError("A delay is a number of milliseconds from 0");
  }
  return { key: key === undefined ? null : storedKey(key), delay };
}

const anything: Checker = satisfying("anything", () => true);

/**
 * Refuses what is given to `enqueue` or `enqueueAll` under other names than these; the values, {@link queueTerms} checks.
 * @throws ConfigurationError that says which name may have been meant
 */
export function checkNames(subject: string, given: object, names: readonly string[]): void {
  // Looked at closely only if there is one: this is done for each message.
  if (Object.keys(given ?? {}).every((name) => names.includes(name))) return;
  check(subject, given, object(Object.fromEntries(names.map((name) => [name, anything]))));
}

function storedKey(key: unknown): string {
  if (typeof key !== "string" && typeof key !== "number" && typeof key !== "bigint") {
    throw new TypeError(`A key is text, a number or a bigint, got ${typeName(key)}`);
  }
  const text = String(key);
  if (isStorableKey(text)) return text;
  throw new RangeError(
    `A key has at most ${LONGEST_KEY} characters, no NUL and no half of a surrogate pair`,
  );
}

/** Whether every database gives the text back as it was, so that equal keys stay equal. */
export function isStorableKey(text: string): boolean {
  return text.length <= LONGEST_KEY && !text.includes("\0") && text.isWellFormed();
}

function typeName(value: unknown): string {
  return value === null ? "null" : typeof value;
}
