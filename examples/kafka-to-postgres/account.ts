import type { Event } from "./flights.ts";
import type { Servers } from "./servers.ts";
import { contents } from "./table.ts";
import { deadLetters } from "./dead-letters.ts";
import { DEAD_LETTERS } from "./topics.ts";

/** Reads back what became of the events, and says whether all is well. */
export async function account(at: Servers, events: readonly Event[]): Promise<boolean> {
  const good = events.filter(({ spoiled }) => !spoiled).map(({ id }) => id);
  const { rows, ids, writes, missing } = await contents(at.database, good);
  const letters = await deadLetters(at.brokers);
  const saved = rows - writes;
  console.log("\nRead back from PostgreSQL and Kafka:");
  console.log(`  ${count(rows)} rows in the table flights, ${count(ids)} different ids`);
  console.log(`  ${count(writes)} writes, ${count(saved)} saved against row by row`);
  console.log(`  ${count(missing)} events missing, ${count(rows - ids)} there twice`);
  console.log(`  ${count(letters.size)} dead letters in the topic ${DEAD_LETTERS}`);
  for (const [id, error] of letters) console.log(`    ${id}: ${error}`);
  const spoiled = events.filter((event) => event.spoiled);
  const complete =
    missing === 0 &&
    rows === good.length &&
    letters.size === spoiled.length &&
    spoiled.every(({ id }) => letters.has(id));
  console.log(complete ? "  Nothing is missing, nothing is there twice." : "  THIS IS NOT RIGHT.");
  return complete;
}

function count(number: number): string {
  return number.toLocaleString("en");
}
