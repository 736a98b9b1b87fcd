import { randomUUID } from "node:crypto";
import { errors } from "./protocol.ts";

export interface Join {
  readonly memberId: string;
  readonly instanceId: string | null;
  /** Milliseconds. */
  readonly sessionTimeout: number;
  readonly rebalanceTimeout: number;
  readonly protocols: readonly { readonly name: string; readonly metadata: Buffer }[];
}

export interface Joined {
  readonly error: number;
  readonly generation: number;
  readonly protocol: string;
  readonly leader: string;
  readonly memberId: string;
  readonly members: readonly {
    readonly id: string;
    readonly instanceId: string | null;
    readonly metadata: Buffer;
  }[];
}

/** Who says so, in every request of a member. */
export interface Claim {
  readonly generation: number;
  readonly memberId: string;
  readonly instanceId: string | null;
}

export interface Synced {
  readonly error: number;
  readonly assignment: Buffer;
}

export type GroupState = "empty" | "preparing" | "completing" | "stable";

interface Member {
  id: string;
  join: Join;
  assignment: Buffer;
  joining?: ((joined: Joined) => void) | undefined;
  syncing?: ((synced: Synced) => void) | undefined;
  timer?: NodeJS.Timeout | undefined;
}

const NOTHING = Buffer.alloc(0);

/** A consumer group, as its coordinator sees it: empty → preparing → completing → stable. */
export class Group {
  readonly #initialDelay: number;
  readonly #members = new Map<string, Member>();
  /** Ids given out that their clients have not joined with yet. */
  readonly #promised = new Set<string>();
  #state: GroupState = "empty";
  #generation = 0;
  #protocol = "";
  #leader = "";
  #timer: NodeJS.Timeout | undefined;
  /** Whether the group was empty before this rebalance. */
  #isFirst = false;

  constructor(initialDelay: number) {
    this.#initialDelay = initialDelay;
  }

  get state(): GroupState {
    return this.#state;
  }

  get generation(): number {
    return this.#generation;
  }

  get members(): string[] {
    return [...this.#members.keys()];
  }

  /** Resolves when the rebalance that it starts or joins has brought all members together. */
  join(join: Join): Promise<Joined> | Joined {
    if (!this.#agreesWith(join)) return refused(errors.inconsistentGroupProtocol, join.memberId);
    if (join.memberId === "") return this.#joinNew(join);
    const member = this.#members.get(join.memberId);
    if (member !== undefined) return this.#rejoin(member, join);
    if (!this.#promised.delete(join.memberId)) return refused(errors.unknownMemberId, "");
    return this.#enter(this.#add(join.memberId, join));
  }

  /** Resolves when the leader has said who gets what. */
  sync(claim: Claim, assignments: ReadonlyMap<string, Buffer>): Promise<Synced> | Synced {
    const error = this.check(claim);
    if (error !== errors.none) return { error, assignment: NOTHING };
    const member = this.#members.get(claim.memberId)!;
    this.#renew(member);
    if (this.#state === "preparing")
      return { error: errors.rebalanceInProgress, assignment: NOTHING };
    if (this.#state === "completing" && claim.memberId === this.#leader) this.#assign(assignments);
    if (this.#state === "stable") return { error: errors.none, assignment: member.assignment };
    return new Promise((resolve) => (member.syncing = resolve));
  }

  heartbeat(claim: Claim): number {
    const error = this.check(claim);
    if (error !== errors.none) return error;
    this.#renew(this.#members.get(claim.memberId)!);
    return this.#state === "preparing" ? errors.rebalanceInProgress : errors.none;
  }

  leave(memberId: string): number {
    if (!this.#members.has(memberId)) return errors.unknownMemberId;
    this.#remove(memberId);
    return errors.none;
  }

  /** Whether a commit may be made: also while members are still on their way to a rebalance, for that is when they drain. */
  mayCommit(claim: Claim): number {
    if (claim.generation < 0 && this.#state === "empty") return errors.none;
    const error = this.check(claim);
    if (error !== errors.none) return error;
    this.#renew(this.#members.get(claim.memberId)!);
    return this.#state === "completing" ? errors.rebalanceInProgress : errors.none;
  }

  check({ generation, memberId, instanceId }: Claim): number {
    const member = this.#members.get(memberId);
    if (member === undefined) {
      const fenced = instanceId !== null && this.#ofInstance(instanceId) !== undefined;
      return fenced ? errors.fencedInstanceId : errors.unknownMemberId;
    }
    return generation === this.#generation ? errors.none : errors.illegalGeneration;
  }

  /** Ends its timers. */
  close(): void {
    clearTimeout(this.#timer);
    for (const member of this.#members.values()) clearTimeout(member.timer);
  }

  #joinNew(join: Join): Promise<Joined> | Joined {
    const id = `${join.instanceId ?? "member"}-${randomUUID()}`;
    if (join.instanceId === null) {
      this.#promised.add(id);
      return refused(errors.memberIdRequired, id);
    }
    const before = this.#ofInstance(join.instanceId);
    if (before === undefined) return this.#enter(this.#add(id, join));
    return this.#replace(before, id, join);
  }

  /** A static member that has come back under a new id takes the old one's place, without a rebalance if it can. */
  #replace(member: Member, id: string, join: Join): Promise<Joined> | Joined {
    const leader = this.#leader;
    const changed = metadataOf(member.join, this.#protocol) !== metadataOf(join, this.#protocol);
    this.#members.delete(member.id);
    member.joining?.(refused(errors.fencedInstanceId, member.id));
    member.syncing?.({ error: errors.fencedInstanceId, assignment: NOTHING });
    if (leader === member.id) this.#leader = id;
    Object.assign(member, { id, join, joining: undefined, syncing: undefined });
    this.#members.set(id, member);
    if (this.#state !== "stable" || changed) return this.#enter(member);
    this.#renew(member);
    // The old leader's name, so that the new one asks for its assignment instead of making one.
    return { ...this.#joined(member), leader, members: [] };
  }

  #rejoin(member: Member, join: Join): Promise<Joined> | Joined {
    const changed = metadataOf(member.join, this.#protocol) !== metadataOf(join, this.#protocol);
    member.join = join;
    if (this.#state === "stable" && !changed && member.id !== this.#leader) {
      this.#renew(member);
      return this.#joined(member);
    }
    return this.#enter(member);
  }

  #enter(member: Member): Promise<Joined> {
    clearTimeout(member.timer);
    const joined = new Promise<Joined>((resolve) => (member.joining = resolve));
    if (this.#state === "preparing") this.#completeIfAllAreHere();
    else this.#prepare();
    return joined;
  }

  #add(id: string, join: Join): Member {
    const member: Member = { id, join, assignment: NOTHING };
    this.#members.set(id, member);
    return member;
  }

  #prepare(): void {
    const members = [...this.#members.values()];
    this.#isFirst = this.#state === "empty";
    this.#state = "preparing";
    const wait = this.#isFirst
      ? this.#initialDelay
      : Math.max(...members.map(({ join }) => join.rebalanceTimeout));
    for (const member of members) {
      member.syncing?.({ error: errors.rebalanceInProgress, assignment: NOTHING });
      member.syncing = undefined;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#complete(), wait);
    this.#completeIfAllAreHere();
  }

  #completeIfAllAreHere(): void {
    // The first ones wait for others as long as was asked for.
    if (this.#isFirst && this.#initialDelay > 0) return;
    const members = [...this.#members.values()];
    if (members.every(({ joining }) => joining !== undefined)) this.#complete();
  }

  #complete(): void {
    clearTimeout(this.#timer);
    for (const member of [...this.#members.values()])
      if (member.joining === undefined && member.join.instanceId === null) this.#forget(member);
    this.#generation += 1;
    const members = [...this.#members.values()];
    if (members.length === 0) {
      this.#state = "empty";
      return;
    }
    this.#state = "completing";
    if (!this.#members.has(this.#leader)) this.#leader = members[0]!.id;
    this.#protocol = members[0]!.join.protocols.find(({ name }) =>
      members.every(({ join }) => join.protocols.some((protocol) => protocol.name === name)),
    )!.name;
    for (const member of members) {
      member.joining?.(this.#joined(member));
      member.joining = undefined;
      this.#renew(member);
    }
  }

  #assign(assignments: ReadonlyMap<string, Buffer>): void {
    this.#state = "stable";
    for (const member of this.#members.values()) {
      member.assignment = assignments.get(member.id) ?? NOTHING;
      member.syncing?.({ error: errors.none, assignment: member.assignment });
      member.syncing = undefined;
    }
  }

  /** Starts the member's session anew. */
  #renew(member: Member): void {
    clearTimeout(member.timer);
    if (member.joining !== undefined) return;
    member.timer = setTimeout(() => this.#remove(member.id), member.join.sessionTimeout);
  }

  #remove(id: string): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    this.#forget(member);
    if (this.#state === "preparing") this.#completeIfAllAreHere();
    else if (this.#members.size > 0) this.#prepare();
    else {
      this.#state = "empty";
      this.#generation += 1;
    }
  }

  #forget(member: Member): void {
    clearTimeout(member.timer);
    this.#members.delete(member.id);
    member.joining?.(refused(errors.unknownMemberId, member.id));
    member.syncing?.({ error: errors.unknownMemberId, assignment: NOTHING });
  }

  #joined({ id }: Member): Joined {
    const members = id === this.#leader ? [...this.#members.values()] : [];
    return {
      error: errors.none,
      generation: this.#generation,
      protocol: this.#protocol,
      leader: this.#leader,
      memberId: id,
      members: members.map((member) => ({
        id: member.id,
        instanceId: member.join.instanceId,
        metadata: protocolOf(member.join, this.#protocol)?.metadata ?? NOTHING,
      })),
    };
  }

  /** Whether there is a protocol that all have. */
  #agreesWith(join: Join): boolean {
    const others = [...this.#members.values()].filter(({ id }) => id !== join.memberId);
    return join.protocols.some(({ name }) =>
      others.every((other) => protocolOf(other.join, name) !== undefined),
    );
  }

  #ofInstance(instanceId: string): Member | undefined {
    return [...this.#members.values()].find(({ join }) => join.instanceId === instanceId);
  }
}

function protocolOf(join: Join, name: string): { readonly metadata: Buffer } | undefined {
  return join.protocols.find((protocol) => protocol.name === name);
}

function metadataOf(join: Join, protocol: string): string | undefined {
  return protocolOf(join, protocol)?.metadata.toString("latin1");
}

function refused(error: number, memberId: string): Joined {
  return { error, generation: -1, protocol: "", leader: "", memberId, members: [] };
}
