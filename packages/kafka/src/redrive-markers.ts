import { isMarker, MARKER } from "./letter.ts";
import type { NewKafkaRecord } from "./record.ts";
import type { Scanned } from "./scan.ts";
import type { StoredKafkaLetter } from "./stored-letter.ts";

/** What the notes in a dead-letter topic say: which of its letters have been written back. */
export class Markers {
  readonly #redriven = new Set<string>();

  /** Takes note of a record, if it is such a note; one that cannot be read is none. */
  read({ partition, record }: Scanned): void {
    if (!isMarker(record.headers)) return;
    for (const offset of offsetsIn(record.value)) this.#redriven.add(`${partition}:${offset}`);
  }

  has({ partition, record }: Scanned): boolean {
    return this.#redriven.has(`${partition}:${record.offset}`);
  }
}

/** Notes, in the partitions of the letters, that these have been written back, when and by whom. */
export function markerOf(
  topic: string,
  by: string,
  letters: readonly StoredKafkaLetter[],
): NewKafkaRecord[] {
  const at = new Date().toISOString();
  const offsets = new Map<number, number[]>();
  for (const { partition, offset } of letters) {
    offsets.set(partition, [...(offsets.get(partition) ?? []), Number(offset)]);
  }
  return [...offsets].map(([partition, redriven]) => ({
    topic,
    partition,
    value: JSON.stringify({ redriven, by, at }),
    headers: { [MARKER]: "1" },
  }));
}

function offsetsIn(value: Buffer | null): number[] {
  try {
    const { redriven } = JSON.parse(String(value)) as { redriven?: unknown };
    return Array.isArray(redriven) ? redriven.filter((each) => Number.isSafeInteger(each)) : [];
  } catch {
    return [];
  }
}
