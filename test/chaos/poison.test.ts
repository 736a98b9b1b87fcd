import { describeWith, sharedKafka, sharedPostgres, uniqueName } from "test-servers/vitest";
import { expect, it } from "vitest";
import { placeOf } from "./support/account.ts";
import { lettersIn } from "./support/letters.ts";
import { report, scaled } from "./support/scale.ts";
import { until } from "./support/until.ts";
import { makeWorld, type World } from "./support/world.ts";

const ROWS = 10_000;
/** How many without it are compared with. */
const BEFORE = scaled(500, ROWS);
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

    await send(world, BEFORE);
    const poison = BEFORE + ROWS / 2;
    await send(world, ROWS, (id) => ({ poison: id === poison }));
    await until("the letter is written", async () => {
      const letters = await lettersIn(brokers, deadLetters);
      for (const letter of letters) world.letters.add(originOf(letter));
      return letters.length > 0;
    });
    const account = await world.settle();

    const [usual] = await world.rows<Latency>(LATENCY, [0, BEFORE]);
    const [latency] = await world.rows<Latency>(LATENCY, [BEFORE, BEFORE + ROWS]);
    const letters = await lettersIn(brokers, deadLetters);
    report("one poison row among 10,000", {
      rows: account.rows - BEFORE,
      letters: letters.length,
      millisecondsWithout: usual,
      millisecondsWith: latency,
    });
    const written = await world.rows<{ id: number }>("select distinct id::int from effect");
    expect(written).toHaveLength(BEFORE + ROWS - 1);
    expect(written).not.toContainEqual({ id: poison });
    // Each place has one of both: what the load had to send twice counts twice.
    expect(account.rows + letters.length).toBe(account.produced);
    for (const letter of letters)
      expect(letter.get("westend-error-message")).toContain("effect_key_check");
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

/** So many events at a rate. */
async function send(world: World, count: number, shape?: (id: number) => object): Promise<void> {
  const end = world.load.acknowledged + count;
  let next = performance.now();
  while (world.load.acknowledged < end) {
    await world.load.send(PORTION, shape);
    next += (PORTION / RATE) * 1000;
    await until("it is time", () => performance.now() >= next, { interval: 1 });
  }
}

function originOf(letter: ReadonlyMap<string, string>): string {
  return placeOf(Number(letter.get("westend-partition")), Number(letter.get("westend-offset")));
}
