import type { KafkaRecord, RecordCursor } from "../../../src/client.ts";

/** Records a poll brings at most: few, so that a message is fetched, buffered and handed over at different moments. */
const MOST = 4;
const KEYS = 3;

/** One partition as its broker has it: offsets only, with the gaps that compaction and transactions leave. */
export class Log {
  readonly offsets: number[] = [];
  start = 0;
  end = 0;
  /** Bytes that each of its records says it takes. */
  size = 100;

  append(records: number): void {
    for (; records > 0; records--) this.offsets.push(this.end++);
  }

  /** Offsets that nobody will ever see. */
  skip(offsets: number): void {
    this.end += offsets;
  }

  /** Deletes what lies before, as retention does. */
  trim(start: number): void {
    this.start = Math.min(start, this.end);
    while ((this.offsets[0] ?? this.start) < this.start) this.offsets.shift();
  }

  read(from: number): RecordCursor | undefined {
    if (from >= this.end) return undefined;
    const found = this.offsets.filter((offset) => offset >= from);
    const records = found.slice(0, MOST);
    const end = found.length > MOST ? (records.at(-1) as number) + 1 : this.end;
    const { size } = this;
    return {
      end,
      get bytes() {
        return records.length * size;
      },
      next() {
        const offset = records.shift();
        return offset === undefined ? undefined : recordAt(offset, size);
      },
    };
  }
}

export const keyAt = (offset: number): string => `k${offset % KEYS}`;

function recordAt(offset: number, size: number): KafkaRecord {
  return {
    offset,
    timestamp: 0,
    leaderEpoch: 0,
    key: Buffer.from(keyAt(offset)),
    value: Buffer.from(`${offset}`),
    headers: [],
    size,
    defect: undefined,
  };
}
