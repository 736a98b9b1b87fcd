import { describe, expect, it } from "vitest";
import { sceneWith } from "./support/simulation/scene.ts";

describe("a partition", () => {
  it("goes on when a commit was refused for a generation of which we had not heard yet", async () => {
    const { clock, cluster, group, oracle, start, end } = sceneWith(1);
    const member = await start();
    group.assign(0, member);
    cluster.append(0, 3);
    await clock.advance(100);
    const joining = group.rejoin(0, 1000);
    await clock.advance(2000);
    await joining;
    cluster.append(0, 3);
    await clock.advance(10_000);
    expect(cluster.seat(0).committed.offset).toBe(6);
    expect(oracle.problems).toEqual([]);
    await end();
  });

  it("that comes back begins where it was committed last, not where it was when it first came", async () => {
    const { clock, cluster, group, oracle, start, end } = sceneWith(1);
    const [first, second] = [await start(), await start()];
    cluster.append(0, 3);
    cluster.spoil("committed", "is answered late");
    group.assign(0, first);
    await clock.advance(10);
    await group.move(0, second);
    await clock.advance(1000);
    expect(cluster.seat(0).committed.offset).toBe(3);
    // What it asks now is answered after what it asked then.
    cluster.spoil("committed", "comes late");
    const back = group.move(0, first);
    await clock.advance(10_000);
    await back;
    expect(oracle.problems).toEqual([]);
    expect(first.source.partitions()).toMatchObject([{ committed: 3n, position: 3n }]);
    await end();
  });
});
