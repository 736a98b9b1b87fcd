import { setTimeout as sleep } from "node:timers/promises";
import { describeWith, sharedKafka, sharedPostgres } from "test-servers/vitest";
import { expect, it } from "vitest";
import type { Host } from "./support/host.ts";
import { report, scaled } from "./support/scale.ts";
import { makeWorld } from "./support/world.ts";

const DURATION = scaled(15_000, 300_000);
const RATE = scaled(200, 500);
const FEWEST = 1;
const MOST = 5;

const random = (from: number, to: number): number => from + Math.random() * (to - from);

describeWith(["kafka", "postgres"], "a rebalance storm", () => {
  it("loses nothing, keeps order in each owner, and every partition gets on when it is over", async () => {
    const { brokers, admin } = sharedKafka();
    const world = await makeWorld({ brokers, admin, postgres: sharedPostgres() });
    const hosts = [world.host(), world.host(), world.host()];
    const members: { readonly host: Host; readonly name: string }[] = [];
    const changes: Promise<void>[] = [];
    let turn = 0;
    const join = (): void => {
      const host = hosts[turn++ % hosts.length]!;
      const member = world.member();
      // It can be told to leave when it has come.
      changes.push(host.join(member).then(() => void members.push({ host, name: member.name })));
    };
    const leave = (): void => {
      const [member] = members.splice(Math.floor(random(0, members.length)), 1);
      changes.push(member!.host.leave(member!.name));
    };

    join();
    world.load.start(RATE, (id) => (id % 50 === 0 ? { work: 300 } : {}));
    const end = performance.now() + DURATION;
    while (performance.now() < end) {
      await sleep(random(500, 2000));
      if (members.length <= FEWEST || (members.length < MOST && Math.random() < 0.5)) join();
      else leave();
    }
    await Promise.all(changes);
    const calm = performance.now();
    await world.progressEverywhere();
    const untilAll = performance.now() - calm;

    const account = await world.settle();
    const { produced, lost, repeated } = account;
    report(`a storm of ${DURATION / 1000} s`, {
      changes: changes.length,
      produced,
      lost: lost.length,
      repeated,
      samples: world.sampler.samples,
      secondsUntilAllPartitionsGetOn: untilAll / 1000,
    });
    expect(world.broken(account)).toEqual({});
  });
});
