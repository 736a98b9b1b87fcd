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

  it("do not fill the memory while they wait, and all are handled when it is over", async () => {
    const { clock, cluster, group, oracle, start, end } = sceneWith(1);
    let isDown = true;
    const member = await start({
      retryDelay: 60_000,
      fetch: { maxBytesPerPartition: 8 * 2 ** 20 },
      fate: () => ({ after: 0, end: isDown ? "fails" : "succeeds" }),
    });
    cluster.log(0).size = 2 ** 20;
    cluster.append(0, 500);
    group.assign(0, member);
    await clock.advance(50_000);
    // 64 MiB that wait, and what may be under way.
    expect(member.source.partitions()[0]?.inFlight).toBeLessThanOrEqual(64 + 20);
    isDown = false;
    await clock.advance(600_000);
    expect(oracle.handled[0]?.size).toBe(500);
    await end();
  });

  it("do not fill it the sooner the more sessions there are", async () => {
    const { clock, cluster, oracle, start, end } = sceneWith(4);
    const member = await start({
      sessions: 4,
      retryDelay: 600_000,
      fetch: { maxBytesPerPartition: 8 * 2 ** 20 },
      fate: () => ({ after: 0, end: "fails" }),
    });
    for (const [partition, driver] of member.drivers.entries()) {
      cluster.log(partition).size = 2 ** 20;
      cluster.append(partition, 100);
      driver.assign(partition);
      oracle.assigned(partition);
    }
    await clock.advance(60_000);
    const inFlight = member.source.partitions().reduce((sum, one) => sum + one.inFlight, 0);
    expect(inFlight).toBeLessThanOrEqual(64 + 20);
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
