import type { Clock, Timer } from "westend";
import type { KafkaDriver, TopicPartition } from "./client.ts";
import type { Partition } from "./partition.ts";

const FIRST_WAIT = 100;
const LONGEST_WAIT = 2000;

export interface FetcherOptions {
  readonly clock: Clock;
  readonly driver: KafkaDriver;
  /** Bytes of a partition that are fetched ahead. */
  readonly maxBytesPerPartition: number;
  /** The partitions that are ours. */
  partitions(): Iterable<Partition>;
  /** Whether more of it may be handed over at all, so that fetching ahead makes sense. */
  wants(partition: Partition): boolean;
  arrived(): void;
  outOfRange(partition: Partition): void;
  troubled(error: Error): void;
}

/** Keeps what is fetched ahead between nothing and a bound: one poll per broker at a time, for every partition with room. */
export class Fetcher {
  readonly #options: FetcherOptions;
  /** Brokers that have not answered yet. */
  readonly #polling = new Set<number>();
  #looking = false;
  #again = false;
  #failures = 0;
  #turn = 0;
  #timer: Timer | undefined;
  #ended = false;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  /** There may be something to fetch. */
  kick(): void {
    if (this.#ended || this.#timer !== undefined) return;
    if (this.#looking) {
      this.#again = true;
      return;
    }
    const hungry = this.#hungry();
    if (hungry.length > 0) void this.#look(hungry);
  }

  end(): void {
    this.#ended = true;
    if (this.#timer !== undefined) this.#options.clock.clearTimer(this.#timer);
  }

  /** Each time another one comes first: the first of an answer gets a batch however large it is, the others what is left. */
  #hungry(): Partition[] {
    const { wants } = this.#options;
    const all = [...this.#options.partitions()].filter(
      (one) => isOpen(one) && this.#room(one) > 0 && wants(one),
    );
    const first = this.#turn++ % Math.max(1, all.length);
    return [...all.slice(first), ...all.slice(0, first)];
  }

  /** Asked for again at half: polls for a few bytes would not be worth it. */
  #room(partition: Partition): number {
    const { maxBytesPerPartition } = this.#options;
    const { buffered } = partition;
    return buffered * 2 > maxBytesPerPartition ? 0 : maxBytesPerPartition - buffered;
  }

  /** Some that are not asked for are being used up: they are asked for as soon as the poll has ended. */
  #hasOthers(): boolean {
    for (const { polling, paused, buffered } of this.#options.partitions()) {
      if (!polling && !paused && buffered > 0) return true;
    }
    return false;
  }

  async #look(hungry: readonly Partition[]): Promise<void> {
    this.#looking = true;
    try {
      const leaders = await this.#options.driver.leaders(hungry);
      let led = 0;
      for (const [broker, partitions] of leaders) {
        led += partitions.length;
        if (!this.#polling.has(broker)) void this.#poll(broker, partitions as readonly Partition[]);
      }
      // Some have no leader at the moment.
      if (led < hungry.length) this.#wait();
    } catch (error) {
      this.#failed(error as Error);
    } finally {
      this.#looking = false;
      if (this.#again) {
        this.#again = false;
        this.kick();
      }
    }
  }

  async #poll(broker: number, partitions: readonly Partition[]): Promise<void> {
    this.#polling.add(broker);
    const live = partitions.filter(isOpen);
    for (const one of live) one.polling = true;
    try {
      const wanted = live.map((one) => ({
        topic: one.topic,
        partition: one.partition,
        offset: one.fetchOffset,
        maxBytes: this.#room(one),
      }));
      const { driver } = this.#options;
      const fetched = live.length === 0 ? [] : await driver.poll(broker, wanted, this.#hasOthers());
      this.#failures = 0;
      for (const one of live) one.polling = false;
      let moved = false;
      for (const each of fetched) {
        const one = live.find((candidate) => isSame(candidate, each));
        const asked = wanted.find((candidate) => isSame(candidate, each));
        // It was given away, or begins elsewhere, since we asked.
        if (one === undefined || one.gone || one.fetchOffset !== asked?.offset) continue;
        if (each.problem === undefined) one.add(each);
        else if (each.problem === "outOfRange") this.#options.outOfRange(one);
        else if (each.problem === "moved") moved = true;
        else this.#options.troubled(each.problem);
        if (each.problem instanceof Error) moved = true;
      }
      if (moved) this.#wait();
      if (fetched.some(({ records }) => records !== undefined)) this.#options.arrived();
    } catch (error) {
      for (const one of live) one.polling = false;
      this.#failed(error as Error);
    } finally {
      // What is out of range is not asked for until it has begun anew.
      this.#polling.delete(broker);
      this.kick();
    }
  }

  #failed(error: Error): void {
    if (this.#ended) return;
    this.#options.troubled(error);
    this.#wait();
  }

  /** Looks again after a while that grows, and differs from member to member. */
  #wait(): void {
    if (this.#ended || this.#timer !== undefined) return;
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#failures++);
    this.#timer = this.#options.clock.setTimer(
      () => {
        this.#timer = undefined;
        this.kick();
      },
      wait * (0.5 + Math.random() / 2),
    );
  }
}

function isSame(one: TopicPartition, other: TopicPartition): boolean {
  return one.partition === other.partition && one.topic === other.topic;
}

/** It may be asked for at all. */
function isOpen({ gone, leaving, paused, polling }: Partition): boolean {
  return !gone && !leaving && !paused && !polling;
}
