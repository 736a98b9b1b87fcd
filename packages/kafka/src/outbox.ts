import type { EncodedRecord } from "./record.ts";

/** A record that is to be written when its message is committed. */
export interface StagedRecord {
  readonly record: EncodedRecord;
  readonly partition: number;
}

/**
 * What messages of one partition have given rise to and is not written yet. It is written in the transaction that commits them:
 * of a message that is ahead of an unfinished one nothing is to be seen before that one has ended too.
 */
export class Outbox {
  readonly #staged = new Map<number, StagedRecord[]>();
  /** Finds the partition a record is to be written to. */
  readonly place: (record: EncodedRecord) => Promise<number>;

  constructor(place: (record: EncodedRecord) => Promise<number>) {
    this.place = place;
  }

  stage(offset: number, staged: StagedRecord): void {
    const before = this.#staged.get(offset);
    if (before === undefined) this.#staged.set(offset, [staged]);
    else before.push(staged);
  }

  /** What is to be written with a commit of this offset, in the order of the messages. */
  before(offset: number): StagedRecord[] {
    return [...this.#staged.keys()]
      .filter((each) => each < offset)
      .sort((a, b) => a - b)
      .flatMap((each) => this.#staged.get(each) as StagedRecord[]);
  }

  /** They are written. */
  confirm(offset: number): void {
    for (const each of [...this.#staged.keys()]) if (each < offset) this.drop(each);
  }

  /** The message is to be handled again. */
  drop(offset: number): void {
    this.#staged.delete(offset);
  }
}
