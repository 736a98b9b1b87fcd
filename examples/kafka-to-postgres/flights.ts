import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

interface Flight {
  /** Minutes. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
  /** Of departure, in hours since midnight. */
  readonly time: number;
}

export interface Event {
  readonly id: string;
  /** JSON, unless it is spoiled. */
  readonly value: string;
  readonly spoiled: boolean;
}

type Spoiler = (event: Flight & { readonly id: string }) => string;

/** Ways to spoil an event, as they are seen in production. */
const SPOILERS: readonly Spoiler[] = [
  (event) => JSON.stringify(event).slice(0, 40),
  (event) => JSON.stringify({ ...event, delay: "late" }),
  (event) => JSON.stringify({ ...event, distance: -1 }),
  (event) => JSON.stringify({ ...event, time: undefined }),
  () => "",
];

/** Real flights of the year 2001, at most 200,000, as events with an id each; among them a handful of spoiled ones. */
export async function flights(number: number): Promise<readonly Event[]> {
  const file = new URL("../data/flights-200k.json", import.meta.resolve("vega-datasets"));
  const rows = JSON.parse(await readFile(fileURLToPath(file), "utf8")) as Flight[];
  const good = rows.slice(0, number).map((row, index) => {
    const id = `flight-${String(index + 1).padStart(6, "0")}`;
    return { id, value: JSON.stringify({ id, ...row }), spoiled: false };
  });
  const stride = Math.floor(good.length / SPOILERS.length);
  return SPOILERS.reduceRight((events, spoil, index) => {
    const id = `spoiled-${index + 1}`;
    const value = spoil({ id, ...(rows[index] as Flight) });
    return events.toSpliced(index * stride, 0, { id, value, spoiled: true });
  }, good);
}
