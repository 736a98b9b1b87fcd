import { type SimulatedCluster, TOPIC } from "./cluster.ts";
import type { SimulatedMember } from "./member.ts";
import type { Oracle } from "./oracle.ts";

/** Gives partitions to members and takes them away, in the ways that a group does. */
export class SimulatedGroup {
  readonly members: SimulatedMember[] = [];
  readonly #cluster: SimulatedCluster;
  readonly #oracle: Oracle;
  /** Partitions that are just being given away. */
  readonly #moving = new Set<number>();

  constructor(cluster: SimulatedCluster, oracle: Oracle) {
    this.#cluster = cluster;
    this.#oracle = oracle;
  }

  /** Gives a free partition to a member. */
  assign(partition: number, member: SimulatedMember): void {
    const { seats } = this.#cluster;
    if (seats[partition]?.owner !== undefined || !member.driver.alive) return;
    member.driver.assign(partition);
    this.#oracle.assigned(partition);
  }

  /** Takes a partition away in good order, and gives it to somebody, perhaps who had it. */
  async move(partition: number, to: SimulatedMember): Promise<void> {
    const { owner } = this.#cluster.seat(partition);
    if (this.#moving.has(partition)) return;
    this.#moving.add(partition);
    await owner?.revoke(partition);
    this.#moving.delete(partition);
    this.assign(partition, to);
  }

  /** Gives a partition to another member, and tells who had it some time later; that one may get it back. */
  async seize(partition: number, to: SimulatedMember, later: number): Promise<void> {
    const { owner } = this.#cluster.seat(partition);
    if (owner === undefined || owner === to.driver || this.#moving.has(partition)) return;
    this.#moving.add(partition);
    this.#cluster.free(partition);
    this.assign(partition, to);
    await this.#cluster.pass(later);
    await owner.lose(partition);
    this.#moving.delete(partition);
  }

  /** The group begins a new generation, of which the owner hears later; it keeps what it has. */
  async rejoin(partition: number, later: number): Promise<void> {
    const seat = this.#cluster.seat(partition);
    const { owner } = seat;
    if (owner === undefined || this.#moving.has(partition)) return;
    this.#moving.add(partition);
    this.#oracle.kept(partition, seat.term++);
    await this.#cluster.pass(later);
    if (seat.owner === owner) owner.rejoin(partition);
    this.#moving.delete(partition);
  }

  /** A member leaves in good order. */
  async stop(member: SimulatedMember): Promise<void> {
    this.members.splice(this.members.indexOf(member), 1);
    await member.running.stop({ timeout: 5000 });
  }

  /** A process is gone from one moment to the next; what it still does reaches nobody. */
  async kill(member: SimulatedMember): Promise<void> {
    this.members.splice(this.members.indexOf(member), 1);
    member.driver.dead = true;
    for (const [partition, { owner }] of this.#cluster.seats.entries()) {
      if (owner === member.driver) this.#cluster.free(partition);
    }
    await member.running.stop({ timeout: 0 });
  }

  /** Whoever has none gets one. */
  settle(): void {
    for (const [partition, { owner }] of this.#cluster.seats.entries()) {
      const [member] = this.members;
      if (owner !== undefined || member === undefined || this.#moving.has(partition)) continue;
      this.assign(partition, member);
    }
  }

  /** All partitions. */
  get places(): { topic: string; partition: number }[] {
    return this.#cluster.seats.map((_, partition) => this.place(partition));
  }

  place(partition: number): { topic: string; partition: number } {
    return { topic: TOPIC, partition };
  }
}
