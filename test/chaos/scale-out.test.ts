import { setTimeout as sleep } from "node:timers/promises";
import { describeWith, sharedKafka, sharedPostgres } from "test-servers/vitest";
import { expect, it } from "vitest";
import { report, scaled } from "./support/scale.ts";
import { makeWorld } from "./support/world.ts";

const ROUNDS = scaled(1, 5);
const RATE = scaled(200, 1000);
const SESSION = 3000;
/** Longer than the group waits for a member. */
const PAUSE = scaled(5000, 20_000);

describeWith(["kafka", "postgres"], "three processes with twelve partitions", () => {
  it("write every event while members come, go, are killed and are held", async () => {
    const { brokers, admin } = sharedKafka();
    const world = await makeWorld({
      brokers,
      admin,
      postgres: sharedPostgres(),
      sessionTimeout: SESSION,
    });
    world.load.start(RATE);
    const members = [await world.join(), await world.join(), await world.join()];
    for (const { name } of members) await world.progressOf(name);

    for (let round = 0; round < ROUNDS; round++) {
      const added = await world.join();
      members.push(added);
      await world.progressOf(added.name);

      const leaving = members.shift()!;
      await leaving.host.leave(leaving.name);
      await world.progressEverywhere();

      await members.shift()!.host.kill();
      await world.progressEverywhere();
      members.push(await world.join());

      const held = members[0]!;
      held.host.pause();
      await sleep(PAUSE);
      await world.progressEverywhere();
      held.host.resume();
      await world.progressOf(held.name);
    }

    const account = await world.settle();
    const { produced, lost, repeated } = account;
    report(`${ROUNDS} rounds of adding, removing, killing and holding`, {
      produced,
      lost: lost.length,
      repeated,
      samples: world.sampler.samples,
      refusedAcknowledgements: world.notices.filter(({ text }) => text.startsWith("ownershipLost"))
        .length,
    });
    expect(world.broken(account)).toEqual({});
  });
});
