import type {
  DeadLetterFilter,
  ListOptions,
  RedriveOptions,
  RedriveReport,
  StoredDeadLetter,
} from "./dead-letter-store.ts";
import type { QueuePayload } from "./queue.ts";

/** Letters moved in one transaction. */
const GROUP = 100;

/** What goes back into the queue of a letter. */
export interface EditedLetter {
  readonly id: number;
  readonly key: string | undefined;
  readonly payload: QueuePayload;
}

/** What redriving needs of a store. */
export interface RedriveStore {
  /** Letters that fit, in the order of their numbers. */
  list(options: ListOptions): Promise<readonly StoredDeadLetter[]>;
  /** The number of the newest letter; 0 if there is none. */
  newest(): Promise<number>;
  /** Moves letters into the queue and counts them in the audit record; resolves with how many nobody else had moved before. */
  move(letters: readonly EditedLetter[]): Promise<number>;
}

/** Moves letters back into their queue, group by group; the audit record is the store's. */
export async function redrive(
  filter: DeadLetterFilter,
  { limit = Infinity, edit, dryRun = false }: Pick<RedriveOptions, "limit" | "edit" | "dryRun">,
  store: RedriveStore,
): Promise<RedriveReport> {
  // What fails again while letters are being sent back is not sent back twice.
  const newest = await store.newest();
  const report = { redriven: 0, skipped: 0 };
  for (let after = 0; report.redriven < limit;) {
    const wanted = Math.min(GROUP, limit - report.redriven);
    const listed = await store.list({ ...filter, after, limit: wanted });
    const letters = listed.filter(({ id }) => id <= newest);
    if (letters.length === 0) break;
    after = letters.at(-1)?.id ?? after;
    const edited = await editAll(letters, edit);
    report.redriven += dryRun ? edited.length : await store.move(edited);
    report.skipped += letters.length - edited.length;
  }
  return report;
}

async function editAll(
  letters: readonly StoredDeadLetter[],
  edit: RedriveOptions["edit"],
): Promise<EditedLetter[]> {
  const edited: EditedLetter[] = [];
  for (const letter of letters) {
    const payload = edit === undefined ? letter.payload : await edit(letter);
    if (payload === undefined || (edit === undefined && !letter.intact)) continue;
    edited.push({ id: letter.id, key: letter.key, payload });
  }
  return edited;
}
