/** Depth and number of entries beyond which metadata is cut. */
const DEEPEST = 5;
const MOST_ENTRIES = 100;
const LONGEST_TEXT = 1024;
const LONGEST_JSON = 8 * 1024;

/**
 * JSON of what can be put into JSON, and of no more than 8 kB: functions, symbols and cycles are left out, bytes become base64,
 * bigints text. Getters and `toJSON` of foreign objects are not called.
 */
export function boundedJson(value: unknown): string {
  const json = JSON.stringify(plain(value, DEEPEST)) ?? "null";
  return json.length <= LONGEST_JSON ? json : JSON.stringify({ truncated: json.length });
}

function plain(value: unknown, depth: number): unknown {
  if (typeof value === "string") return value.slice(0, LONGEST_TEXT);
  if (typeof value === "bigint") return value.toString().slice(0, LONGEST_TEXT);
  if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
  return typeof value === "object" ? plainObject(value, depth) : undefined;
}

function plainObject(value: object, depth: number): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof Uint8Array) {
    return Buffer.from(value.subarray(0, LONGEST_TEXT)).toString("base64");
  }
  if (depth === 0) return undefined;
  if (value instanceof Map) {
    const entries = [...value].filter(([name]) => typeof name === "string");
    return plainObject(Object.fromEntries(entries), depth);
  }
  if (Array.isArray(value) || value instanceof Set) {
    return Array.from(value)
      .slice(0, MOST_ENTRIES)
      .map((entry) => plain(entry, depth - 1));
  }
  const copy: Record<string, unknown> = Object.create(null);
  for (const name of Object.keys(value).slice(0, MOST_ENTRIES)) {
    const property = Object.getOwnPropertyDescriptor(value, name);
    if (property !== undefined && "value" in property)
      copy[name] = plain(property.value, depth - 1);
  }
  return copy;
}
