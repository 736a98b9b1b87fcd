import type { EditedLetter } from "westend/connector";
import type { Connection } from "./connection.ts";
import { draftOf, enqueue } from "./enqueue.ts";

const DELETE = "DELETE FROM westend_dead_letter WHERE id = ? AND queue = ?";

/**
 * Moves letters back into their queue; call it in a transaction. Those that somebody else moved meanwhile are passed over;
 * returns how many were not.
 */
export function redriveGroup(
  connection: Connection,
  queue: number,
  letters: readonly EditedLetter[],
  now: number,
): number {
  const remove = connection.prepare(DELETE);
  const ours = letters.filter(({ id }) => Number(remove.run(id, queue).changes) === 1);
  enqueue(
    connection,
    queue,
    ours.map(({ payload, key }) => draftOf({ payload, key })),
    now,
  );
  return ours.length;
}
