import { describe, expect, it } from "vitest";
import type { SimulatedDriver } from "./support/simulation/driver.ts";
import { sceneWith } from "./support/simulation/scene.ts";

describe("a finite source with several sessions", () => {
  it("ends when all of them have come to the end, also those that got their partitions later", async () => {
    const { clock, cluster, oracle, start } = sceneWith(2);
    for (const partition of [0, 1]) cluster.append(partition, 5);
    const member = await start({
      finite: true,
      sessions: 2,
      fate: () => ({ after: 200, end: "succeeds" }),
    });
    const [first, second] = member.drivers as [SimulatedDriver, SimulatedDriver];
    const give = (to: SimulatedDriver, ...partitions: number[]): void => {
      to.assign(...partitions);
      for (const partition of partitions) oracle.assigned(partition);
    };
    let ended = false;
    void member.running.done.then(() => (ended = true));
    // The second has joined: the first has to give something up before the second can have it.
    give(first, 0, 1);
    give(second);
    await clock.advance(100);
    first.joining();
    await Promise.all([first.revoke(1), clock.advance(2000)]);
    second.joining();
    give(first);
    await clock.advance(100);
    give(second, 1);
    await clock.advance(20_000);
    expect(oracle.handled.map(({ size }) => size)).toEqual([5, 5]);
    expect(ended).toBe(true);
    expect(oracle.problems).toEqual([]);
  });

  it("ends though one session comes to its end over what nobody sees, when the other has been there for long", async () => {
    const { clock, cluster, oracle, start } = sceneWith(2);
    cluster.append(0, 5);
    cluster.log(1).skip(5);
    const member = await start({ finite: true, sessions: 2 });
    let ended = false;
    void member.running.done.then(() => (ended = true));
    for (const [partition, driver] of member.drivers.entries()) {
      driver.assign(partition);
      oracle.assigned(partition);
      await clock.advance(1000);
    }
    await clock.advance(20_000);
    expect(ended).toBe(true);
  });
});
