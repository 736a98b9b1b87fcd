/** How a member of the group is to work. */
export interface MemberOptions {
  /** Of this membership alone; its rows bear it. */
  readonly name: string;
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly group: string;
  /** URL. */
  readonly database: string;
  /** Whether effects are recorded in an inbox, and so had once. */
  readonly inbox: boolean;
  /** Gives the process that comes after a kill the same partitions at once. */
  readonly instance?: string | undefined;
  readonly sessionTimeout: number;
  /** User and password, for brokers that ask. */
  readonly credentials?: readonly [user: string, password: string] | undefined;
  readonly table: string;
  /** Where what could not be written goes. */
  readonly deadLetters?: string | undefined;
  /** Milliseconds to block the event loop for, at the first event that asks for it. */
  readonly block?: number | undefined;
}

/** What the process of members is told. */
export type Order = { readonly join: MemberOptions } | { readonly leave: string };

/** What it says. `member` is the one concerned. */
export interface Notice {
  readonly member: string;
  readonly what: "joined" | "refused" | "left" | "event" | "violation" | "died";
  /** The error, what was violated, or the name of the event. */
  readonly text: string;
  readonly code?: string | undefined;
}

/** What is in the topic. */
export interface Event {
  readonly id: number;
  readonly key: string;
  /** Milliseconds its handler takes. */
  readonly work?: number | undefined;
  /** Its handler blocks the event loop, where the member is told to. */
  readonly block?: boolean | undefined;
  /** The table refuses it. */
  readonly poison?: boolean | undefined;
}

/** A row that a member writes. */
export interface Effect {
  /** The member, and how often it had been given the partition. */
  readonly owner: string;
  readonly part: number;
  readonly place: number;
  readonly key: string;
  readonly id: number;
  /** Milliseconds since the Unix epoch. */
  readonly produced: number;
}

export const EFFECTS = {
  owner: "text",
  part: "integer",
  place: "bigint",
  key: "text",
  id: "bigint",
  produced: "bigint",
} as const;

export const TABLE = `create table effect (seq bigserial primary key, owner text not null, part integer not null,
  place bigint not null, key text not null check (key <> 'poison'), id bigint not null, produced bigint not null,
  at timestamptz not null default clock_timestamp());
  create index on effect (part, place)`;
