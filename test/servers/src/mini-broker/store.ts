import { Group } from "./group.ts";
import { PartitionLog } from "./partition-log.ts";

/** A commit that a client asked for. */
export interface Commit {
  readonly group: string;
  readonly generation: number;
  readonly memberId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly metadata: string;
  /** What it was answered with; 0 if it was accepted. */
  readonly error: number;
}

export interface Committed {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly leaderEpoch: number;
  readonly metadata: string;
}

/** What the mini-broker keeps: topics, groups and their offsets. */
export class Store {
  readonly topics = new Map<string, PartitionLog[]>();
  readonly commits: Commit[] = [];
  readonly #groups = new Map<string, Group>();
  readonly #offsets = new Map<string, Map<string, Committed>>();
  readonly #initialRebalanceDelay: number;
  #producers = 0n;

  constructor(initialRebalanceDelay: number) {
    this.#initialRebalanceDelay = initialRebalanceDelay;
  }

  createTopic(name: string, partitions: number): void {
    this.topics.set(
      name,
      Array.from({ length: partitions }, () => new PartitionLog()),
    );
  }

  log(topic: string, partition: number): PartitionLog | undefined {
    return this.topics.get(topic)?.[partition];
  }

  group(id: string): Group {
    let group = this.#groups.get(id);
    if (group === undefined) {
      group = new Group(this.#initialRebalanceDelay);
      this.#groups.set(id, group);
    }
    return group;
  }

  /** Remembers it, and keeps its offset if it was accepted. */
  commit(commit: Commit, leaderEpoch: number): void {
    this.commits.push(commit);
    if (commit.error !== 0) return;
    const offsets = this.#offsets.get(commit.group) ?? new Map<string, Committed>();
    const { topic, partition, offset, metadata } = commit;
    offsets.set(`${topic}:${partition}`, { topic, partition, offset, leaderEpoch, metadata });
    this.#offsets.set(commit.group, offsets);
  }

  committed(group: string): Committed[] {
    return [...(this.#offsets.get(group)?.values() ?? [])];
  }

  nextProducerId(): bigint {
    this.#producers += 1n;
    return this.#producers;
  }

  /** Ends all timers. */
  close(): void {
    for (const group of this.#groups.values()) group.close();
  }
}
