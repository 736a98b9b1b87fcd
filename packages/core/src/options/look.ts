/** Stands for a property whose getter threw. */
export const unreadable: unique symbol = Symbol("unreadable");

/** What a look at somebody's value gives; where a getter or a proxy throws, `otherwise`. */
export function look<Seen>(at: () => Seen, otherwise: Seen): Seen {
  try {
    return at();
  } catch {
    return otherwise;
  }
}

/** Reads a property; one that cannot be read gives a value that fits no checker. */
export function read(value: unknown, key: string): unknown {
  return look(() => (value as Record<string, unknown>)[key], unreadable);
}

export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !isArray(value);
}

/** Array.isArray throws for a revoked proxy. */
export function isArray(value: unknown): value is readonly unknown[] {
  return look(() => Array.isArray(value), false);
}

export function ownKeys(value: object): string[] {
  return look(() => Object.keys(value), []);
}
