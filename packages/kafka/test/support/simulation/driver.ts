import type {
  CommitResult,
  Fetched,
  GroupEvents,
  GroupMember,
  KafkaDriver,
  Position,
  TopicPartition,
  Wanted,
} from "../../../src/client.ts";
import type { KafkaStart } from "../../../src/options.ts";
import { type SimulatedCluster, TOPIC } from "./cluster.ts";

let count = 0;

/** A member's connection to a simulated cluster. */
export class SimulatedDriver implements KafkaDriver {
  readonly #cluster: SimulatedCluster;
  /** In which terms it believes to own its partitions: its generation, as it were. */
  readonly #terms = new Map<number, number>();
  readonly #leaving = new Set<number>();
  #events: GroupEvents | undefined;
  /** What it owned each time it was asked who it is. */
  readonly #generations: { terms: ReadonlyMap<number, number>; joined: number }[] = [];
  /** How often it has joined. */
  #joined = 0;
  readonly #number = ++count;
  /** The process is gone: nothing gets through any more. */
  dead: boolean = false;

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
  }

  async connect(): Promise<void> {}

  async join(events: GroupEvents): Promise<void> {
    this.#events = events;
  }

  get alive(): boolean {
    return this.#events !== undefined && !this.dead;
  }

  termOf(partition: number): number | undefined {
    return this.#terms.get(partition);
  }

  /** Gets these from the group, and hears of it at once. */
  assign(...partitions: number[]): void {
    for (const partition of partitions) {
      const seat = this.#cluster.seat(partition);
      seat.owner = this;
      this.#terms.set(partition, ++seat.term);
    }
    this.#joined++;
    this.#events?.assigned(partitions.map(place));
  }

  /** Hears of something that will not get better. */
  fail(error: Error): void {
    this.#events?.failed(error);
  }

  /** Hears that the group rebalances. */
  joining(): void {
    this.#events?.joining();
  }

  /** Gives one back; it is free when it is done with it. */
  async revoke(partition: number): Promise<void> {
    this.#leaving.add(partition);
    await this.#events?.revoked([place(partition)], false);
    this.#leaving.delete(partition);
    this.#terms.delete(partition);
    if (this.#cluster.seat(partition).owner === this) this.#cluster.free(partition);
  }

  /** Hears that one is not its own any more. */
  async lose(partition: number): Promise<void> {
    this.#terms.delete(partition);
    await this.#events?.revoked([place(partition)], true);
    this.#tellOfKept();
  }

  /** Joins anew and keeps one it had: a new generation, of which commits under way know nothing. */
  rejoin(partition: number): void {
    this.#terms.set(partition, this.#cluster.seat(partition).term);
    this.#tellOfKept();
  }

  /** It has joined anew; a client does so when it has given away what it is to. */
  #tellOfKept(): void {
    this.#joined++;
    const kept = [...this.#terms.keys()].filter((owned) => !this.#leaving.has(owned));
    this.#events?.assigned(kept.map(place));
  }

  async leaders(partitions: readonly TopicPartition[]): Promise<Map<number, TopicPartition[]>> {
    return this.#call("leaders", () => new Map([[1, [...partitions]]]));
  }

  async poll(_broker: number, wanted: readonly Wanted[]): Promise<readonly Fetched[]> {
    const read = (): Fetched[] => wanted.map((one) => this.#read(one));
    const first = await this.#call("poll", read);
    if (first.some(({ records, problem }) => records !== undefined || problem !== undefined)) {
      return first;
    }
    await this.#wait();
    return this.#call("poll", read);
  }

  async commit(positions: readonly Position[]): Promise<readonly CommitResult[]> {
    const terms = positions.map(({ partition }) => this.#terms.get(partition));
    const results = await this.#call(
      "commit",
      () => positions.map((position, index) => this.#commit(position, terms[index])),
      () => positions.map((): CommitResult => "retry"),
    );
    // Refused because we have joined anew meanwhile, and may have kept them.
    return results.map((result, index) => {
      const joined = this.#terms.get((positions[index] as Position).partition) !== terms[index];
      return result === "lost" && joined ? "retry" : result;
    });
  }

  async committed(partitions: readonly TopicPartition[]): Promise<readonly Position[]> {
    return this.#call("committed", () =>
      partitions.map(({ partition }) => this.#cluster.seat(partition).committed),
    );
  }

  async offsets(partitions: readonly TopicPartition[], at: KafkaStart): Promise<readonly number[]> {
    return this.#call("offsets", () =>
      partitions.map(({ partition }) => {
        const { start, end } = this.#cluster.log(partition);
        return at === "earliest" ? start : end;
      }),
    );
  }

  async member(): Promise<GroupMember> {
    const generationId =
      this.#generations.push({ terms: new Map(this.#terms), joined: this.#joined }) - 1;
    await this.#cluster.pass(1);
    return { groupId: "group", memberId: `${this.#number}`, generationId, coordinatorId: 1 };
  }

  isStill({ generationId }: GroupMember): boolean {
    return this.#generations[generationId]?.joined === this.#joined;
  }

  /** Commits all of these as who the member was, or nothing. */
  commitAs({ generationId }: GroupMember, positions: readonly Position[]): boolean {
    const terms = this.#generations[generationId]?.terms;
    const isOurs = ({ partition }: Position): boolean => {
      const { owner, term } = this.#cluster.seat(partition);
      return owner === this && terms?.get(partition) === term;
    };
    if (!positions.every(isOurs)) return false;
    for (const position of positions) this.#commit(position, terms?.get(position.partition));
    return true;
  }

  async leave(): Promise<void> {
    for (const partition of this.#terms.keys()) {
      if (this.#cluster.seat(partition).owner === this) this.#cluster.free(partition);
    }
    this.#terms.clear();
  }

  async close(): Promise<void> {
    this.dead = true;
  }

  #commit(position: Position, term: number | undefined): CommitResult {
    const seat = this.#cluster.seat(position.partition);
    if (seat.owner !== this || seat.term !== term) return "lost";
    this.#cluster.committed(position.partition, seat, position);
    seat.committed = position;
    return "done";
  }

  #read({ topic, partition, offset }: Wanted): Fetched {
    const log = this.#cluster.log(partition);
    const problem = offset < log.start || offset > log.end ? "outOfRange" : undefined;
    const records = problem === undefined ? log.read(offset) : undefined;
    return { topic, partition, problem, end: log.end, records };
  }

  #wait(): Promise<void> {
    const { clock, waiting, maxWait } = this.#cluster;
    return new Promise((resolve) => {
      const end = (): void => {
        clock.clearTimer(timer);
        waiting.delete(end);
        resolve();
      };
      const timer = clock.setTimer(end, maxWait);
      waiting.add(end);
    });
  }

  async #call<Result>(
    ...call: Parameters<typeof SimulatedCluster.prototype.call<Result>>
  ): Promise<Result> {
    if (this.dead) throw new Error("The process is gone");
    return this.#cluster.call(...call);
  }
}

const place = (partition: number): TopicPartition => ({ topic: TOPIC, partition });
