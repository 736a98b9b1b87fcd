import type { Session } from "./database.ts";
import { isRowFault } from "./row-error.ts";

/** An item that was left out, and why. */
export interface Fault<Item> {
  readonly item: Item;
  readonly error: unknown;
}

const SAVEPOINT = { text: "savepoint westend" };
const RELEASE = { text: "release savepoint westend" };
const UNDO = { text: "rollback to savepoint westend" };

/**
 * Writes what could not be written together, all but the items that are to blame: halves what fails until the bad one stands alone.
 * One among n costs about 2 × log2(n) writes. Call it in a transaction; errors that are no item's fault are thrown.
 */
export async function isolate<Item>(
  session: Session,
  items: readonly Item[],
  write: (items: readonly Item[]) => Promise<void>,
): Promise<Fault<Item>[]> {
  // Those that are checked at the end would fail the whole transaction.
  await session.query({ text: "set constraints all immediate" });
  const faults: Fault<Item>[] = [];
  const parts = halves(items);
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const error = await attempt(session, part, write);
    if (error === undefined) continue;
    const [item] = part as readonly [Item];
    if (part.length === 1) {
      faults.push({ item, error });
      continue;
    }
    parts.push(...halves(part));
  }
  return faults;
}

/** To be taken from the end, the first half first: of rows with the same key the last has the last word. */
function halves<Item>(items: readonly Item[]): (readonly Item[])[] {
  if (items.length === 1) return [items];
  const middle = items.length >> 1;
  return [items.slice(middle), items.slice(0, middle)];
}

/** What went wrong, if an item is to blame; then nothing of it was written. */
async function attempt<Item>(
  session: Session,
  part: readonly Item[],
  write: (items: readonly Item[]) => Promise<void>,
): Promise<unknown> {
  await session.query(SAVEPOINT);
  try {
    await write(part);
  } catch (error) {
    if (!isRowFault(error)) throw error;
    await session.query(UNDO);
    await session.query(RELEASE);
    return error;
  }
  await session.query(RELEASE);
  return undefined;
}
