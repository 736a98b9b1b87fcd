import type { ProducerContext } from "westend";
import type { CommitResult, KafkaDriver, Position, TopicPartition } from "./client.ts";
import { KafkaError } from "./errors.ts";
import type { KafkaMessage } from "./message.ts";
import type { KafkaStart } from "./options.ts";
import type { Outbox } from "./outbox.ts";
import { type OrderBy, Partition } from "./partition.ts";

const FIRST_WAIT = 100;
const LONGEST_WAIT = 2000;

export interface AssignmentsOptions {
  readonly driver: KafkaDriver;
  readonly context: ProducerContext;
  readonly from: KafkaStart;
  readonly ignoreCommitted: boolean;
  /** Partitions, by name, of which something was committed in this run: what is committed of those is ours. */
  readonly begun: Set<string>;
  readonly finite: boolean;
  readonly orderBy: OrderBy;
  /** Milliseconds handlers may finish in when a partition is given away. */
  readonly revokeTimeout: number;
  /** Where what its messages give rise to waits for their commit, if there are transactions. */
  outbox(): Outbox | undefined;
  /** Commits what these have come to. */
  flush(partitions: readonly Partition[]): Promise<void>;
  /** There are other partitions than before. */
  changed(): void;
  troubled(error: Error): void;
}

/** One that is ours, for as long as it is: another one if it comes back. */
interface Holding extends TopicPartition {
  /** None before it is known where to begin. */
  current: Partition | undefined;
  /** Where it begins if nothing is committed: asked for once, for what comes from then on is not to be passed over. */
  start: number | undefined;
  /** Settles when it has gone where it was last told to. */
  moved: Promise<unknown>;
}

/** The partitions that are ours: where they begin, and how they are given away. */
export class Assignments {
  readonly #options: AssignmentsOptions;
  readonly #owned = new Map<string, Holding>();
  /** The group has said what is ours. */
  #joined = false;
  #ended = false;

  constructor(options: AssignmentsOptions) {
    this.#options = options;
  }

  *live(): Generator<Partition> {
    for (const { current } of this.#owned.values()) if (current !== undefined) yield current;
  }

  /** How many there are. */
  get size(): number {
    return this.#owned.size;
  }

  find(where: TopicPartition): Partition | undefined {
    return this.#owned.get(nameOf(where))?.current;
  }

  /** Everything a finite source was to hand over has been handed over, and has ended. */
  get finished(): boolean {
    if (!this.#options.finite || !this.#joined) return false;
    return [...this.#owned.values()].every(({ current }) => current?.finished === true);
  }

  /** We may get what others have given up. */
  joining(): void {
    this.#joined = false;
  }

  /** All that is ours: what we do not have yet begins. We may have let go of what the group has not taken from us. */
  async assign(partitions: readonly TopicPartition[]): Promise<void> {
    const added = partitions
      .filter((where) => !this.#owned.has(nameOf(where)))
      .map(({ topic, partition }): Holding => ({
        topic,
        partition,
        current: undefined,
        start: undefined,
        moved: Promise.resolve(),
      }));
    for (const holding of added) this.#owned.set(nameOf(holding), holding);
    this.#joined = true;
    this.#options.context.telemetry("assigned", { partitions: added.map(placeOf) });
    for (let wait = FIRST_WAIT; !this.#ended; wait = Math.min(LONGEST_WAIT, wait * 2)) {
      // Some may have been given away while we were asking.
      const starting = added.filter((holding) => this.#isStarting(holding));
      if (starting.length === 0) break;
      try {
        const waiting = await this.#begin(starting);
        if (waiting.length === 0) break;
        if (wait === LONGEST_WAIT) this.#options.troubled(new NotBegun(waiting));
        this.#options.changed();
      } catch (error) {
        if (!this.#ended) this.#options.troubled(error as Error);
      }
      await this.#sleep(wait);
    }
    this.#options.changed();
  }

  /** These are to be given away, or are lost already: nothing of them is begun any more, and what was only fetched is forgotten. */
  async revoke(partitions: readonly TopicPartition[], lost: boolean): Promise<void> {
    const { context, flush, revokeTimeout } = this.#options;
    const began = context.clock.now();
    const going: Partition[] = [];
    for (const where of partitions) {
      const partition = this.find(where);
      if (!this.#owned.delete(nameOf(where))) continue;
      if (partition !== undefined) going.push(partition);
    }
    if (lost) for (const partition of going) this.#close(partition);
    await this.#takeBack(going, lost ? 0 : revokeTimeout);
    if (!lost) await flush(going);
    // Not before: what ends while it is being given away still counts.
    for (const partition of going) this.#close(partition);
    const duration = context.clock.now() - began;
    context.telemetry("revoked", { partitions: partitions.map(placeOf), lost, duration });
  }

  /** Its offset is not there: begins anew as the options say. */
  async reset(partition: Partition): Promise<void> {
    const { context, driver, from } = this.#options;
    partition.polling = true;
    try {
      const [offset = 0] = await driver.offsets([partition], from);
      if (partition.gone) return;
      context.telemetry("offsetReset", {
        topic: partition.topic,
        partition: partition.partition,
        from: partition.fetchOffset,
        to: offset,
      });
      // Further on: what lies between has been deleted. Further back: the log is another one.
      if (offset > partition.fetchOffset) partition.jump(offset);
      else await this.#move(partition, offset, partition);
    } catch (error) {
      this.#options.troubled(error as Error);
      await this.#sleep(FIRST_WAIT);
    } finally {
      partition.polling = false;
      this.#options.changed();
    }
  }

  /** Goes on from another offset, when what runs has ended; false if it is not ours any more by then. */
  seek(where: TopicPartition, offset: number): Promise<boolean> {
    return this.#move(where, offset);
  }

  /** One move after the other, so that the last one counts; `only` from this partition, if it is to. */
  #move(where: TopicPartition, offset: number, only?: Partition): Promise<boolean> {
    const holding = this.#owned.get(nameOf(where));
    if (holding === undefined) return Promise.resolve(false);
    const moved = holding.moved.then(() => this.#restart(holding, offset, only));
    holding.moved = moved;
    return moved;
  }

  async #restart(holding: Holding, offset: number, only?: Partition): Promise<boolean> {
    const { current } = holding;
    if (current === undefined || current !== (only ?? current)) return false;
    current.leaving = true;
    await this.#takeBack([current], this.#options.revokeTimeout);
    // What waits for its commit to be written would be lost.
    if (current.outbox !== undefined) await this.#options.flush([current]);
    if (current.gone || this.#owned.get(nameOf(holding)) !== holding) return false;
    this.#close(current);
    const { topic, partition } = holding;
    const next = this.#partition({ topic, partition, offset, metadata: "" });
    next.tracker.rewind();
    next.paused = current.paused;
    next.target = current.target;
    holding.current = next;
    this.#options.changed();
    return true;
  }

  end(): void {
    this.#ended = true;
    for (const partition of this.live()) this.#close(partition);
    this.#owned.clear();
  }

  #close(partition: Partition): void {
    if (partition.tracker.committed >= 0) this.#options.begun.add(nameOf(partition));
    partition.close();
  }

  /** Begins what can begin; gives what has to wait until it can be committed where it begins. */
  async #begin(starting: readonly Holding[]): Promise<readonly Holding[]> {
    const { driver, finite } = this.#options;
    const positions = await this.#committed(starting);
    const missing = starting.filter((_, index) => (positions[index] as Position).offset < 0);
    await this.#choose(missing);
    const ends = finite ? await driver.offsets(starting, "latest") : [];
    const settled = await this.#settle(missing);
    const waiting: Holding[] = [];
    for (const [index, holding] of starting.entries()) {
      if (!this.#isStarting(holding)) continue;
      const result = settled.get(holding);
      if (result === "retry" || result === "lost") {
        waiting.push(holding);
        continue;
      }
      const position = positions[index] as Position;
      const partition = this.#partition(position.offset < 0 ? startOf(holding) : position);
      if (finite) partition.target = ends[index] ?? 0;
      // Whoever may not commit has to read all the same, and hears of it with every commit.
      if (result instanceof Error) partition.tracker.rewind();
      holding.current = partition;
    }
    return waiting;
  }

  async #choose(missing: readonly Holding[]): Promise<void> {
    const { driver, from } = this.#options;
    const unknown = missing.filter(({ start }) => start === undefined);
    if (unknown.length === 0) return;
    const offsets = await driver.offsets(unknown, from);
    for (const [index, holding] of unknown.entries()) holding.start = offsets[index];
  }

  async #committed(starting: readonly Holding[]): Promise<readonly Position[]> {
    const { driver, ignoreCommitted, begun } = this.#options;
    const committed = await driver.committed(starting);
    if (!ignoreCommitted) return committed;
    return committed.map((position) =>
      begun.has(nameOf(position)) ? position : { ...position, offset: -1 },
    );
  }

  /**
   * Commits where these begin, before anything of them is handed over: whoever has them next would begin later, at another end of
   * the topic, and pass over what we have not done. Says of each what came of it.
   */
  async #settle(missing: readonly Holding[]): Promise<ReadonlyMap<Holding, CommitResult>> {
    const starting = missing.filter((holding) => this.#isStarting(holding));
    if (starting.length === 0) return new Map();
    const results = await this.#options.driver.commit(starting.map(startOf));
    return new Map(starting.map((holding, index) => [holding, results[index] ?? "retry"]));
  }

  #partition(position: Position): Partition {
    const { orderBy, outbox } = this.#options;
    return new Partition(position, position.offset, position.metadata, orderBy, outbox());
  }

  /** Not if it was given away meanwhile, even if it came back: what we were told then is out of date. */
  #isStarting(holding: Holding): boolean {
    return this.#owned.get(nameOf(holding)) === holding && holding.current === undefined;
  }

  async #takeBack(partitions: readonly Partition[], timeout: number): Promise<void> {
    if (partitions.length === 0) return;
    const all = new Set(partitions);
    await this.#options.context.revoke(
      (incoming) => all.has((incoming as KafkaMessage).owner),
      timeout,
    );
  }

  #sleep(milliseconds: number): Promise<void> {
    const { clock } = this.#options.context;
    return new Promise((resolve) => {
      clock.setTimer(resolve, milliseconds * (0.5 + Math.random() / 2));
    });
  }
}

/** Its start, as it is committed and begun from. */
function startOf({ topic, partition, start = 0 }: Holding): Position {
  return { topic, partition, offset: start, metadata: "" };
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

/** What may be shown of it. */
function placeOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition };
}

class NotBegun extends KafkaError {
  constructor(waiting: readonly TopicPartition[]) {
    super(
      "KAFKA_COMMIT",
      `Kafka: where ${waiting.map(nameOf).join(", ")} begins could not be committed yet; it is tried again, and nothing is read of it until then. Others would begin later, and pass messages over`,
    );
  }
}
