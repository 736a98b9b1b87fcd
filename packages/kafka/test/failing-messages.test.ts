import { describe, expect, it } from "vitest";
import { sceneWith } from "./support/simulation/scene.ts";

describe("messages that fail for ever", () => {
  it("do not keep others of their partition from being handled, however many they are", async () => {
    const { clock, cluster, group, oracle, start, end } = sceneWith(2);
    const POISON = 200;
    const member = await start({
      retryDelay: 3_600_000,
      fate: (partition, offset) => ({
        after: 0,
        end: partition === 0 && offset < POISON ? "fails" : "succeeds",
      }),
    });
    cluster.maxWait = 100;
    cluster.append(0, POISON + 50);
    cluster.append(1, 1);
    for (const partition of [0, 1]) group.assign(partition, member);
    await clock.advance(120_000);
    expect(oracle.handled.map(({ size }) => size)).toEqual([50, 1]);
    await end();
  });

  it("are progress if they are passed over", async () => {
    const { clock, cluster, group, start, end } = sceneWith(1);
    const member = await start({
      onFailure: "commit",
      progressTimeout: 5000,
      fate: () => ({ after: 700, end: "fails" }),
    });
    cluster.append(0, 60);
    group.assign(0, member);
    await clock.advance(20_000);
    expect(member.source.partitions()[0]?.lag).toBeGreaterThan(0);
    expect(cluster.seat(0).committed.offset).toBeGreaterThan(10);
    expect(member.source.ready).toBe(true);
    await end();
  });
});
