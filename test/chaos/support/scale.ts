/** The full form takes the times that are promised; the short one only shows that everything works. */
const full: boolean = process.env["WESTEND_CHAOS"] === "full";

/** What the short form takes, and what the full one. */
export function scaled<Value>(short: Value, long: Value): Value {
  return full ? long : short;
}

/** Says what was measured, where it means something. */
export function report(what: string, figures: Readonly<Record<string, unknown>>): void {
  if (full) console.log(`chaos: ${what}: ${JSON.stringify(figures)}`);
}
