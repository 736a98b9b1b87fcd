import { describeWith, sharedKafka, sharedPostgres, uniqueName } from "test-servers/vitest";
import { expect, it } from "vitest";
import { placeOf } from "./support/account.ts";
import { lettersIn } from "./support/letters.ts";
import { report } from "./support/scale.ts";
import { until } from "./support/until.ts";
import { makeWorld, type World } from "./support/world.ts";

const ROWS = 10_000;
/** Events sent at once, and a second's worth of them. */
const PORTION = 50;
const RATE = 1000;

describeWith(["kafka", "postgres"], "one event among 10,000 that the table refuses", () => {
  it("becomes a dead letter with its reason, and all others are written", async () => {
    const { brokers, admin } = sharedKafka();
    const world = await makeWorld({ brokers, admin, postgres: sharedPostgres() });
    const deadLetters = uniqueName("dead");
    await admin.createTopic(deadLetters);
    await world.join({ deadLetters });

    await send(world, () => ({}));
    const [usual] = await world.rows<Latency>(LATENCY, [0, ROWS]);
    const poison = ROWS + ROWS / 2;
    await send(world, (id) => ({ poison: id === poison }));
    await until("the letter is written", async () => {
      const letters = await lettersIn(brokers, deadLetters);
      for (const letter of letters) world.letters.add(originOf(letter));
      return letters.length > 0;
    });
    const account = await world.settle();

    const [latency] = await world.rows<Latency>(LATENCY, [ROWS, 2 * ROWS]);
    const letters = await lettersIn(brokers, deadLetters);
    report("one poison row among 10,000", {
      rows: account.rows - ROWS,
      letters: letters.length,
      millisecondsWithout: usual,
      millisecondsWith: latency,
    });
    expect(account.rows).toBe(2 * ROWS - 1);
    expect(await world.rows("select id from effect where id = $1", [poison])).toEqual([]);
    expect(letters).toHaveLength(1);
    expect([...letters[0]!.values()].join("\n")).toContain("effect_key_check");
    expect(world.broken(account)).toEqual({});
  });
});

interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** Milliseconds from an event's production to its row. */
const LATENCY = `select percentile_cont(0.5) within group (order by took) as p50, percentile_cont(0.99) within group (order by took) as p99
  from (select (extract(epoch from at) * 1000 - produced)::float as took from effect where id >= $1 and id < $2) as each`;

/** 10,000 events at a rate, and waits for those that can be written. */
async function send(world: World, shape: (id: number) => object): Promise<void> {
  const first = world.load.acknowledged;
  let next = performance.now();
  while (world.load.acknowledged < first + ROWS) {
    await world.load.send(PORTION, shape);
    next += (PORTION / RATE) * 1000;
    await until("it is time", () => performance.now() >= next, { interval: 1 });
  }
  const enough = first + ROWS - (first === 0 ? 0 : 1);
  const sql = "select count(*)::int as count from effect";
  await until(
    "they are written",
    async () => (await world.rows<{ count: number }>(sql))[0]!.count >= enough,
  );
}

function originOf(letter: ReadonlyMap<string, string>): string {
  return placeOf(Number(letter.get("westend-partition")), Number(letter.get("westend-offset")));
}
