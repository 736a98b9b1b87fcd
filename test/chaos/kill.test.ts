import { setTimeout as sleep } from "node:timers/promises";
import { describeWith, sharedKafka, sharedPostgres } from "test-servers/vitest";
import { expect, it } from "vitest";
import { report, scaled } from "./support/scale.ts";
import { makeWorld } from "./support/world.ts";

const KILLS = scaled(4, 50);
const RATE = scaled(300, 1000);

/** Some take long, so that what is done lies beyond what is committed. */
const slowOnes = (id: number): object => (id % 97 === 0 ? { work: 400 } : {});

async function killed(inbox: boolean) {
  const { brokers, admin } = sharedKafka();
  const world = await makeWorld({ brokers, admin, postgres: sharedPostgres(), inbox });
  world.load.start(RATE, slowOnes);
  for (let kill = 0; kill < KILLS; kill++) {
    const { host } = await world.join({ instance: "one" });
    await world.progress();
    await sleep(5 + Math.random() * 1500);
    await host.kill();
    await world.record();
  }
  await world.join({ instance: "one" });
  const account = await world.settle();
  const { produced, lost, repeated } = account;
  const { samples } = world.sampler;
  report(`killed ${KILLS} times ${inbox ? "with" : "without"} the inbox`, {
    produced,
    lost: lost.length,
    repeated,
    repeatedPerKill: repeated / KILLS,
    samples,
  });
  return { repeated, broken: world.broken(account) };
}

describeWith(["kafka", "postgres"], "a consumer that is killed at random", () => {
  it("loses nothing, and repeats nothing that its last commit records", async () => {
    const { broken } = await killed(false);
    expect(broken).toEqual({});
  });

  it("has every effect once, with an inbox", async () => {
    const { repeated, broken } = await killed(true);
    expect(broken).toEqual({});
    expect(repeated).toBe(0);
  });
});
