import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

interface Flight {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

/** Ways to spoil an event, as they are seen in production. */
const SPOILERS: readonly ((event: { readonly id: string } & Flight) => string)[] = [
  (event) => JSON.stringify(event).slice(0, 40),
  (event) => JSON.stringify({ ...event, delay: "late" }),
  (event) => JSON.stringify({ ...event, origin: undefined }),
  (event) => JSON.stringify({ ...event, date: "yesterday" }),
  (event) => JSON.stringify({ ...event, distance: -1 }),
  (event) => JSON.stringify(event).replace("{", '{"__proto__":{"admin":true},'),
  () => "",
];

/** Every so manieth event is spoiled. */
const SPOILED = 2500;

/** 20,000 real flights of the year 2001, as events with an id each. */
export async function flights(): Promise<readonly string[]> {
  const file = fileURLToPath(
    new URL("../data/flights-20k.json", import.meta.resolve("vega-datasets")),
  );
  const rows = JSON.parse(await readFile(file, "utf8")) as Flight[];
  return rows.map((row, index) => JSON.stringify({ id: idOf(index), ...row }));
}

/** The same, with a handful of them spoiled. */
export function spoil(events: readonly string[]): readonly string[] {
  return events.map((event, index) => {
    if (index % SPOILED !== SPOILED - 1) return event;
    const spoiler = SPOILERS[Math.floor(index / SPOILED) % SPOILERS.length];
    return spoiler?.(JSON.parse(event)) ?? event;
  });
}

function idOf(index: number): string {
  return `flight-${String(index + 1).padStart(5, "0")}`;
}
