import { decodeOffsetMap, type Range } from "../../../src/offset-map.ts";
import type { KafkaMessage } from "../../../src/message.ts";
import type { Partition } from "../../../src/partition.ts";
import type { Position } from "../../../src/client.ts";
import type { Seat, SimulatedCluster } from "./cluster.ts";
import type { SimulatedDriver } from "./driver.ts";
import { keyAt } from "./log.ts";

/** What one owner of a partition may count on: what it was told was done, and what it has done itself. */
interface Term {
  readonly from: number;
  readonly ranges: readonly Range[];
  readonly done: Set<number>;
}

/** Watches a simulated group, and notes whatever must never happen. */
export class Oracle {
  readonly problems: string[] = [];
  /** Offsets that have been handled, by partition; whoever did it. */
  readonly handled: readonly Set<number>[];
  /** Messages that were done once more. */
  readonly repeated: string[] = [];
  readonly #cluster: SimulatedCluster;
  readonly #terms = new Map<string, Term>();
  readonly #termOf = new WeakMap<Partition, string>();
  readonly #running = new WeakMap<Partition, Map<number, KafkaMessage>>();
  readonly #newest = new WeakMap<Partition, Map<string, number>>();
  /** Partitions whose owner was told to go somewhere else: there repetition is wanted. */
  readonly #moved = new Set<number>();

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
    this.handled = cluster.logs.map(() => new Set());
    cluster.committed = (partition, seat, position) => this.#committed(partition, seat, position);
  }

  /** It has a new owner, which is told what was committed. */
  assigned(partition: number): void {
    const { term, committed } = this.#cluster.seat(partition);
    const map = decodeOffsetMap(committed, committed.offset, committed.metadata);
    const begun = { from: committed.offset, ranges: map?.done ?? [], done: new Set<number>() };
    this.#terms.set(`${partition}/${term}`, begun);
  }

  /** Its owner keeps it, in a new generation. */
  kept(partition: number, before: number): void {
    const term = this.#terms.get(`${partition}/${before}`);
    if (term !== undefined) this.#terms.set(`${partition}/${before + 1}`, term);
  }

  /** Its owner goes somewhere else, because it was told to or what it reads is gone. */
  moved(partition: number): void {
    this.#moved.add(partition);
  }

  begins(message: KafkaMessage, driver: SimulatedDriver, stage: string): void {
    const { owner, offset } = message;
    const { partition } = owner;
    if (!this.#termOf.has(owner)) {
      this.#termOf.set(owner, `${partition}/${driver.termOf(partition)}`);
      this.#running.set(owner, new Map());
      this.#newest.set(owner, new Map());
    }
    const where = `${partition}:${offset}`;
    // A batch that is open is handled with what was taken away, too.
    if (owner.gone && stage === "processor") {
      this.problems.push(`${where} begins, though it was taken away`);
    }
    const term = this.#terms.get(this.#termOf.get(owner) as string);
    if (term !== undefined && knows(term, offset) && !this.#moved.has(partition)) {
      this.problems.push(`${where} is handled again, though its owner was told that it is done`);
    }
    const running = this.#running.get(owner) as Map<number, KafkaMessage>;
    if (running.has(offset)) this.problems.push(`${where} is in two handlers at once`);
    running.set(offset, message);
    // A batch may hold what is behind it in its key.
    if (stage === "processor") this.#inOrder(message);
  }

  #inOrder(message: KafkaMessage): void {
    const { owner, offset } = message;
    const where = `${owner.partition}:${offset}`;
    const inProcessor = this.#inProcessor.get(owner) ?? new Set();
    this.#inProcessor.set(owner, inProcessor);
    for (const other of inProcessor) {
      if (keyAt(other) === keyAt(offset) && other !== offset) {
        this.problems.push(`${where} begins while ${other} of its key runs`);
      }
    }
    inProcessor.add(offset);
    const newest = this.#newest.get(owner) as Map<string, number>;
    // What failed before may come again behind others of its key; nothing else may.
    if (!seen(newest, offset)) newest.set(keyAt(offset), offset);
    else if (!this.#again.has(message)) {
      this.problems.push(`${where} is overtaken by a later message of its key`);
    }
    this.#again.add(message);
  }

  readonly #inProcessor = new WeakMap<Partition, Set<number>>();

  readonly #again = new WeakSet<KafkaMessage>();

  ends({ owner, offset }: KafkaMessage): void {
    this.#running.get(owner)?.delete(offset);
    this.#inProcessor.get(owner)?.delete(offset);
  }

  /** What was to be done for it is done. */
  done({ owner, offset }: KafkaMessage): void {
    const handled = this.handled[owner.partition] as Set<number>;
    if (handled.has(offset)) this.repeated.push(`${owner.partition}:${offset}`);
    handled.add(offset);
    this.#terms.get(this.#termOf.get(owner) ?? "")?.done.add(offset);
  }

  /** By now everything has to be handled, and committed. */
  atTheEnd(): void {
    for (const [partition, { offsets }] of this.#cluster.logs.entries()) {
      const left = offsets.filter((offset) => !this.handled[partition]?.has(offset));
      if (left.length > 0) this.problems.push(`${partition}: ${left.join(", ")} never handled`);
      const { committed } = this.#cluster.seat(partition);
      const last = offsets.at(-1);
      if (last !== undefined && committed.offset <= last) {
        this.problems.push(`${partition}: committed is ${committed.offset}, and the last ${last}`);
      }
    }
  }

  #committed(partition: number, seat: Seat, position: Position): void {
    const { offsets } = this.#cluster.log(partition);
    const term = this.#terms.get(`${partition}/${seat.term}`);
    const isDone = (offset: number): boolean =>
      term !== undefined && (knows(term, offset) || term.done.has(offset));
    const map = decodeOffsetMap(position, position.offset, position.metadata);
    if (position.metadata !== "" && map === undefined) {
      this.problems.push(`${partition}@${position.offset}: the map cannot be read`);
    }
    const told = (offset: number): boolean =>
      offset < position.offset || covers(map?.done ?? [], offset);
    const lost = offsets.filter((offset) => told(offset) && !isDone(offset));
    if (lost.length > 0 && !this.#moved.has(partition)) {
      this.problems.push(
        `${partition}@${position.offset} passes ${lost.join(", ")}, which the owner has not done`,
      );
    }
    if (position.offset < seat.committed.offset && !this.#moved.has(partition)) {
      this.problems.push(
        `${partition}@${position.offset} goes back behind ${seat.committed.offset}`,
      );
    }
  }
}

const covers = (ranges: readonly Range[], offset: number): boolean =>
  ranges.some(([from, to]) => from <= offset && offset < to);

const knows = ({ from, ranges }: Term, offset: number): boolean =>
  offset < from || covers(ranges, offset);

const seen = (newest: ReadonlyMap<string, number>, offset: number): boolean =>
  (newest.get(keyAt(offset)) ?? -1) >= offset;
