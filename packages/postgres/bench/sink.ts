/**
 * The sink against the same statement written by hand with `pg`, interleaved; prints rows a second and the ratio.
 * `DATABASE_URL=postgres://… node --conditions=@westend/source bench/sink.ts`
 */
import pg from "pg";
import { batchInsert } from "@westend/postgres";

const ROUNDS = 7;
const ROWS = 20_000;
const SIZES = [100, 1_000];

interface Event {
  readonly id: number;
  readonly user: string;
  readonly payload: unknown;
  readonly at: Date;
}

const pool = new pg.Pool({ connectionString: process.env["DATABASE_URL"], max: 2 });
const client = new pg.Client({ connectionString: process.env["DATABASE_URL"] });
await client.connect();

const sink = batchInsert(pool, {
  table: "bench_event",
  columns: { id: "bigint", user: "text", payload: "jsonb", at: "timestamptz" },
  key: ["id"],
  onConflict: "ignore",
});

const BARE = `insert into bench_event (id, "user", payload, at)
  select * from unnest($1::bigint[], $2::text[], $3::jsonb[], $4::timestamptz[]) on conflict (id) do nothing`;

async function bare(rows: readonly Event[]): Promise<void> {
  await client.query({
    name: "bare",
    text: BARE,
    values: [
      rows.map((row) => row.id),
      rows.map((row) => row.user),
      rows.map((row) => row.payload),
      rows.map((row) => row.at),
    ],
  });
}

const ours = async (rows: readonly Event[]): Promise<void> => void (await sink.insert(rows));

const events: Event[] = Array.from({ length: ROWS }, (_, id) => ({
  id,
  user: `user-${id % 997}`,
  payload: { id, action: "click", path: `/a/b/${id}`, tags: ["one", "two"], note: "n".repeat(80) },
  at: new Date(1_700_000_000_000 + id),
}));

/** Rows a second, and microseconds of this process's CPU for each. */
async function measure(write: typeof bare, size: number): Promise<[rate: number, cpu: number]> {
  await client.query("truncate bench_event");
  const cpu = process.cpuUsage();
  const started = performance.now();
  for (let start = 0; start < ROWS; start += size) await write(events.slice(start, start + size));
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return [ROWS / seconds, (user + system) / ROWS];
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

await client.query("drop table if exists bench_event");
await client.query(
  `create table bench_event (id bigint primary key, "user" text not null, payload jsonb not null, at timestamptz not null)`,
);
for (const size of SIZES) {
  const rounds: [bare: [number, number], sink: [number, number]][] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    rounds.push([await measure(bare, size), await measure(ours, size)]);
  }
  rounds.shift();
  const [rate, ourRate] = [0, 1].map((at) => median(rounds.map((round) => round[at]?.[0] ?? 0)));
  const [cpu, ourCpu] = [0, 1].map((at) => median(rounds.map((round) => round[at]?.[1] ?? 0)));
  const ratio = median(rounds.map(([one, other]) => other[0] / one[0]));
  console.log(
    `batches of ${size}: bare ${rate?.toFixed(0)} rows/s (${cpu?.toFixed(1)} µs CPU), sink ${ourRate?.toFixed(0)} (${ourCpu?.toFixed(1)} µs), ratio ${ratio.toFixed(2)}`,
  );
}
await client.query("drop table bench_event");
await client.end();
await pool.end();
