import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** What an event of the topic holds, and a row of the table. */
export interface Flight {
  readonly id: string;
  /** Minutes. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
  /** Of departure, in hours since midnight. */
  readonly time: number;
}

export interface FlightEvent {
  readonly key: string;
  /** JSON. */
  readonly value: string;
}

/** 200,000 real flights of the year 2001, as events with an id each; from the first again where more are wanted. */
export async function flightEvents(number: number, prefix: string): Promise<FlightEvent[]> {
  const data = new URL("../data/flights-200k.json", import.meta.resolve("vega-datasets"));
  const rows = JSON.parse(await readFile(fileURLToPath(data), "utf8")) as Omit<Flight, "id">[];
  return Array.from({ length: number }, (_, index) => {
    const id = `${prefix}-${String(index + 1).padStart(6, "0")}`;
    return { key: id, value: JSON.stringify({ id, ...rows[index % rows.length] }) };
  });
}
