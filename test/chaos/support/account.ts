import type { CommittedOffset } from "test-servers";
// What a commit records is for the connector alone; here it is held to it.
import { decodeOffsetMap } from "../../../packages/kafka/src/offset-map.ts";
import type { Effect } from "./protocol.ts";

export type Row = Omit<Effect, "produced"> & { readonly seq: number };

/** Offsets of one partition: from the first to before the second. */
export type Stretch = readonly [part: number, from: number, to: number];

/** What the group had recorded as done at a time when the table had come to `seq`. */
export interface Recorded {
  readonly seq: number;
  readonly stretches: readonly Stretch[];
}

/** What became of everything that was produced. */
export interface Account {
  readonly produced: number;
  readonly rows: number;
  /** Places without a row. */
  readonly lost: string[];
  /** Rows beyond the first of their place. */
  readonly repeated: number;
  /** Of those, the ones that were written after they had been recorded as done. */
  readonly repeatedThoughRecorded: string[];
  /** Recorded as done, without a row at that time. */
  readonly recordedTooEarly: string[];
  /** Rows of an owner and key that come after later ones. */
  readonly outOfOrder: string[];
}

export function accountOf(
  ends: ReadonlyMap<number, number>,
  rows: readonly Row[],
  records: readonly Recorded[],
  letters: ReadonlySet<string>,
): Account {
  const firsts = new Map<string, number>();
  const repeats: Row[] = [];
  const outOfOrder: string[] = [];
  const last = new Map<string, number>();
  for (const row of rows) {
    const place = placeOf(row.part, row.place);
    if (firsts.has(place)) repeats.push(row);
    else firsts.set(place, row.seq);
    const lane = `${row.owner} ${row.part} ${row.key}`;
    if (row.place <= (last.get(lane) ?? -1)) outOfOrder.push(`${lane}: ${row.place}`);
    last.set(lane, row.place);
  }

  const lost: string[] = [];
  let produced = 0;
  for (const [part, end] of ends) {
    produced += end;
    for (let at = 0; at < end; at++) {
      const place = placeOf(part, at);
      if (!firsts.has(place) && !letters.has(place)) lost.push(place);
    }
  }

  const repeatedThoughRecorded: string[] = [];
  const recordedTooEarly: string[] = [];
  for (const { seq, stretches } of records) {
    for (const [part, from, to] of stretches) {
      for (const row of repeats) {
        if (row.seq > seq && row.part === part && row.place >= from && row.place < to)
          repeatedThoughRecorded.push(placeOf(part, row.place));
      }
      for (let at = from; at < to; at++) {
        const place = placeOf(part, at);
        if (!((firsts.get(place) ?? Infinity) <= seq || letters.has(place)))
          recordedTooEarly.push(place);
      }
    }
  }
  return {
    produced,
    rows: rows.length,
    lost,
    repeated: repeats.length,
    repeatedThoughRecorded,
    recordedTooEarly,
    outOfOrder,
  };
}

export function placeOf(part: number, place: number): string {
  return `${part}/${place}`;
}

/** What a commit says has been done: everything before it, and what its metadata tells of. */
export function stretchesOf({ topic, partition, offset, metadata }: CommittedOffset): Stretch[] {
  const base = Number(offset);
  const beyond = decodeOffsetMap({ topic, partition }, base, metadata)?.done ?? [];
  return [[partition, 0, base], ...beyond.map(([from, to]): Stretch => [partition, from, to])];
}
