import { Consumer } from "@platformatic/kafka";
import pg from "pg";
import type { KafkaAdmin } from "test-servers";
import { uniqueName } from "test-servers/vitest";
import { onTestFinished } from "vitest";
import {
  type Account,
  accountOf,
  placeOf,
  type Recorded,
  type Row,
  type Stretch,
} from "./account.ts";
import { Host } from "./host.ts";
import { Load } from "./load.ts";
import { type MemberOptions, type Notice, TABLE } from "./protocol.ts";
import { Sampler } from "./sampler.ts";
import { until } from "./until.ts";

export interface WorldOptions {
  /** Where members find the brokers. */
  readonly brokers: readonly string[];
  /** Reaches the brokers whatever is done to the members' way to them. */
  readonly admin: KafkaAdmin;
  /** URL of the server; the database is made here. */
  readonly postgres: string;
  /** URL through which members reach it. */
  readonly through?: (database: string) => string;
  readonly partitions?: number;
  readonly inbox?: boolean;
  readonly sessionTimeout?: number;
}

/** A topic, a table, members between them, and an eye on all of it. */
export class World {
  readonly topic: string = uniqueName("events");
  readonly group: string = uniqueName("group");
  readonly load: Load;
  readonly sampler: Sampler;
  readonly #options: WorldOptions;
  readonly #database: string;
  readonly #pool: pg.Pool;
  readonly #hosts: Host[] = [];
  readonly #records: Recorded[] = [];
  #members = 0;
  /** Places that were committed before they had a row. */
  readonly #gaps: string[] = [];
  /** What was waited for and never came. */
  readonly #inVain: string[] = [];
  /** Places that became dead letters. */
  readonly letters: Set<string> = new Set();

  private constructor(options: WorldOptions, database: string, pool: pg.Pool) {
    this.#options = options;
    this.#database = database;
    this.#pool = pool;
    this.load = new Load(options.admin.brokers, this.topic, this.partitions);
    this.sampler = new Sampler(options.admin, this.group, (moved) => this.#compare(moved));
  }

  /** To be ended by `end`. */
  static async make(options: WorldOptions): Promise<World> {
    const database = uniqueName("chaos");
    const administrator = new pg.Client({ connectionString: options.postgres });
    await administrator.connect();
    await administrator.query(`create database "${database}"`);
    await administrator.end();
    const pool = new pg.Pool({ connectionString: inDatabase(options.postgres, database), max: 2 });
    // It is killed on purpose; whoever asks it meanwhile is told.
    pool.on("error", () => undefined);
    pool.on("connect", (client) => client.on("error", () => undefined));
    await pool.query(TABLE);
    const world = new World(options, database, pool);
    await options.admin.createTopic(world.topic, { partitions: world.partitions });
    return world;
  }

  get partitions(): number {
    return this.#options.partitions ?? 12;
  }

  /** A process without members. */
  host(): Host {
    const host = new Host();
    this.#hosts.push(host);
    return host;
  }

  /** Options of a new member. */
  member(options: Partial<MemberOptions> = {}): MemberOptions {
    const { brokers, inbox = false, sessionTimeout = 10_000, postgres, through } = this.#options;
    return {
      name: `m${++this.#members}`,
      brokers,
      topic: this.topic,
      group: this.group,
      database: through?.(this.#database) ?? inDatabase(postgres, this.#database),
      inbox,
      sessionTimeout,
      table: "effect",
      ...options,
    };
  }

  /** A process with a member. */
  async join(options: Partial<MemberOptions> = {}): Promise<{ host: Host; name: string }> {
    const host = this.host();
    const member = this.member(options);
    await host.join(member);
    return { host, name: member.name };
  }

  /** How far the table has come. */
  async seq(): Promise<number> {
    const { rows } = await this.#pool.query("select coalesce(max(seq), 0)::int as seq from effect");
    return (rows[0] as { seq: number }).seq;
  }

  async rows<Found>(sql: string, values: readonly unknown[] = []): Promise<Found[]> {
    return (await this.#pool.query(sql, [...values])).rows as Found[];
  }

  /** Waits until members have written more. */
  async progress(): Promise<void> {
    const before = await this.seq();
    await this.#until("something is written", async () => (await this.seq()) > before);
  }

  /** Waits until every partition has rows that were written from now on, by this member if one is named. */
  async progressEverywhere(): Promise<void> {
    const before = await this.seq();
    await this.#until(
      "every partition gets on",
      async () => {
        const sql = "select distinct part from effect where seq > $1";
        return (await this.rows(sql, [before])).length === this.partitions;
      },
      200,
    );
  }

  /** Waits until this member has written something, from now on. */
  async progressOf(member: string): Promise<void> {
    const before = await this.seq();
    const sql = "select 1 from effect where seq > $1 and owner like $2 || '#%' limit 1";
    await this.#until(
      `${member} writes something`,
      async () => (await this.rows(sql, [before, member])).length > 0,
      100,
    );
  }

  /** Notes what is recorded as done by now; nobody may be writing. */
  async record(): Promise<void> {
    const stretches = await this.sampler.recorded();
    this.#records.push({ seq: await this.seq(), stretches });
  }

  get notices(): Notice[] {
    return this.#hosts.flatMap(({ notices }) => notices);
  }

  /** Milliseconds of the longest time in which no row was written, from row number `seq` on. */
  async longestPause(seq: number): Promise<number> {
    const sql = `select (extract(epoch from max(pause)) * 1000)::float as longest
      from (select at - lag(at) over (order by at) as pause from effect where seq >= $1) as each`;
    const [row] = await this.rows<{ longest: number }>(sql, [seq]);
    return Math.round(row?.longest ?? 0);
  }

  /** Waits for a condition, as long as no process of members has ended by itself. */
  async #until(
    what: string,
    condition: () => Promise<boolean> | boolean,
    interval = 25,
  ): Promise<void> {
    const checked = (): Promise<boolean> | boolean => {
      if (this.#hosts.some(({ hasDied }) => hasDied))
        throw new Error(`a process of members has ended by itself; waited until ${what}`);
      return condition();
    };
    await until(what, checked, { interval });
  }

  /** Ends the load, waits until everything has been written and committed, and draws the balance; of what there is, if that never comes. */
  async settle(): Promise<Account> {
    await this.load.stop();
    const ends = await this.#ends();
    const total = [...ends.values()].reduce((sum, end) => sum + end, 0);
    const isWritten = async (): Promise<boolean> => {
      const [row] = await this.rows<{ count: number }>(
        "select count(distinct (part, place))::int as count from effect",
      );
      return (row?.count ?? 0) + this.letters.size >= total;
    };
    const isCommitted = (): boolean =>
      [...ends].every(([part, end]) => (this.sampler.committed.get(part) ?? 0) === end);
    try {
      await this.#until("everything is written", isWritten, 500);
      await this.#until("everything is committed", isCommitted);
    } catch (error) {
      this.#inVain.push((error as Error).message);
    }
    const rows = await this.rows<Row>(
      "select seq::int, owner, part, place::int, key, id::int from effect order by seq",
    );
    return accountOf(ends, rows, this.#records, this.letters);
  }

  /** What was broken of what holds in every scenario, whatever happens; the first few of each. */
  broken(account: Account): Readonly<Record<string, readonly string[]>> {
    const wrong = this.notices.filter(({ what }) => what === "violation" || what === "died");
    const found = {
      inVain: this.#inVain,
      lost: account.lost,
      outOfOrder: account.outOfOrder,
      recordedTooEarly: account.recordedTooEarly,
      repeatedThoughRecorded: account.repeatedThoughRecorded,
      committedTooEarly: this.#gaps.filter((place) => !this.letters.has(place)),
      commitsWentBack: this.sampler.wentBack,
      saidByMembers: wrong.map(({ member, what, text }) => `${member}: ${what}: ${text}`),
    };
    return Object.fromEntries(
      Object.entries(found)
        .filter(([, all]) => all.length > 0)
        .map(([what, all]) => [what, [`${all.length} in all`, ...all.slice(0, 5)]]),
    );
  }

  /** The offsets behind the last records, by partition. */
  async #ends(): Promise<Map<number, number>> {
    const consumer = new Consumer({
      clientId: "balance",
      groupId: uniqueName("balance"),
      bootstrapBrokers: this.#options.admin.brokers,
    });
    try {
      const found = await consumer.listOffsets({ topics: [this.topic], timestamp: -1n });
      return new Map((found.get(this.topic) ?? []).map((end, part) => [part, Number(end)]));
    } finally {
      await consumer.close(true);
    }
  }

  /** Everything before a commit has its row by the time of the commit. */
  async #compare(moved: readonly Stretch[]): Promise<void> {
    const sql = `select at::int from generate_series($2::bigint, $3::bigint - 1) as at
      where not exists (select from effect where part = $1 and place = at)`;
    for (const [part, from, to] of moved) {
      for (const { at } of await this.rows<{ at: number }>(sql, [part, from, to]))
        this.#gaps.push(placeOf(part, at));
    }
  }

  async end(): Promise<void> {
    await this.load.stop();
    await this.sampler.end();
    await Promise.all(this.#hosts.map((host) => host.kill()));
    await this.#pool.end();
  }
}

/** A world that ends with the test. */
export async function makeWorld(options: WorldOptions): Promise<World> {
  const world = await World.make(options);
  onTestFinished(() => world.end());
  return world;
}

function inDatabase(url: string, database: string): string {
  const there = new URL(url);
  there.pathname = `/${database}`;
  return there.href;
}
