import { describe, expect, it, vi } from "vitest";
import { KafkaError } from "@westend/kafka";
import { listening } from "./support/said.ts";
import type { Fault } from "./support/simulation/cluster.ts";
import type { SimulatedDriver } from "./support/simulation/driver.ts";
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

describe("a partition that is taken away", () => {
  it("is named in what is said by its topic and number alone", async () => {
    const { clock, cluster, group, start, end } = sceneWith(1);
    await listening(async (said) => {
      const [first, second] = [await start(), await start()];
      group.assign(0, first);
      await clock.advance(1000);
      cluster.append(0, 1);
      const seized = group.seize(0, second, 1000);
      await clock.advance(2000);
      await seized;
      const places = said("revoked").flatMap((fields) => fields["partitions"]);
      expect(new Set(places.map((place) => JSON.stringify(place)))).toEqual(
        new Set(['{"topic":"events","partition":0}']),
      );
      await end();
    });
  });
});

describe("a session that has failed", () => {
  it("gives its partitions up, though a handler of it hangs: the one in its place reads on", async () => {
    const { clock, cluster, group, oracle, start, end } = sceneWith(1);
    let hangs = true;
    const member = await start({
      fate: (_, offset) => ({ after: hangs && offset === 0 ? 3_600_000 : 0, end: "succeeds" }),
    });
    group.assign(0, member);
    cluster.append(0, 3);
    await clock.advance(1000);
    member.driver.fail(new KafkaError("KAFKA_TRANSACTION", "A record is refused."));
    await clock.advance(10_000);
    expect(member.drivers).toHaveLength(2);
    expect(cluster.seat(0)).toMatchObject({ owner: undefined, committed: { offset: 0 } });
    hangs = false;
    group.assign(0, member);
    await clock.advance(1000);
    expect(cluster.seat(0).committed.offset).toBe(3);
    expect(oracle.problems).toEqual([]);
    await end();
  });
});

describe("what nobody will ever see", () => {
  it("is committed though nothing ends behind it", async () => {
    const { clock, cluster, group, start, end } = sceneWith(1);
    const member = await start();
    group.assign(0, member);
    cluster.append(0, 3);
    await clock.advance(1000);
    expect(cluster.seat(0).committed.offset).toBe(3);
    cluster.log(0).skip(5);
    await clock.advance(10_000);
    expect(cluster.seat(0).committed.offset).toBe(8);
    await end();
  });
});

describe("where to begin if nothing is committed", () => {
  it("is where the owner before began, though nothing has ended there", async () => {
    const { clock, cluster, group, oracle, start, end } = sceneWith(1);
    const first = await start({ from: "latest", fate: () => ({ after: 3_600_000, end: "fails" }) });
    const second = await start({ from: "latest" });
    cluster.append(0, 5);
    group.assign(0, first);
    await clock.advance(1000);
    cluster.append(0, 2);
    await clock.advance(1000);
    expect(first.source.partitions()).toMatchObject([{ inFlight: 2 }]);
    const moving = group.move(0, second);
    await clock.advance(10_000);
    await moving;
    await clock.advance(1000);
    expect([...(oracle.handled[0] ?? [])]).toEqual([5, 6]);
    await end();
  });

  it("is where an owner began that was killed before anything had ended", async () => {
    const { clock, cluster, group, oracle, start, end } = sceneWith(1);
    const first = await start({ from: "latest", fate: () => ({ after: 3_600_000, end: "fails" }) });
    const second = await start({ from: "latest" });
    group.assign(0, first);
    await clock.advance(1000);
    cluster.append(0, 2);
    await clock.advance(1000);
    const killed = group.kill(first);
    group.assign(0, second);
    await clock.advance(10_000);
    await killed;
    expect([...(oracle.handled[0] ?? [])]).toEqual([0, 1]);
    await end();
  });
});

describe("where a partition begins", () => {
  const faults: readonly Fault[] = ["fails", "fails afterwards", "is refused"];
  for (const fault of faults) {
    it(`is committed before anything is handed over, and stays the same, if the commit ${fault}`, async () => {
      const { clock, cluster, group, oracle, start, end } = sceneWith(1);
      const committedThen: number[] = [];
      const member = await start({
        from: "latest",
        fate() {
          committedThen.push(cluster.seat(0).committed.offset);
          return { after: 0, end: "succeeds" };
        },
      });
      cluster.append(0, 5);
      for (let times = 0; times < 3; times++) cluster.spoil("commit", fault);
      group.assign(0, member);
      await clock.advance(10);
      cluster.append(0, 2);
      await clock.advance(10_000);
      expect([...(oracle.handled[0] ?? [])]).toEqual([5, 6]);
      expect(committedThen).toEqual([5, 5]);
      await end();
    });
  }

  it("does not count if it is not ours any more by then: nothing of it is handed over", async () => {
    const { clock, cluster, group, oracle, start, end } = sceneWith(1);
    const [first, second] = [await start({ from: "latest" }), await start({ from: "latest" })];
    cluster.spoil("commit", "comes late");
    group.assign(0, first);
    await clock.advance(10);
    const seized = group.seize(0, second, 5000);
    // The answer has come, and the group has not said a word yet.
    await clock.advance(2500);
    expect(first.source.partitions()).toEqual([]);
    cluster.append(0, 2);
    await clock.advance(10_000);
    await seized;
    expect([...(oracle.handled[0] ?? [])]).toEqual([0, 1]);
    await end();
  });

  it("is tried to be committed for as long as it may help: who may not commit reads all the same", async () => {
    const { clock, cluster, group, oracle, start, end } = sceneWith(1);
    const member = await start({ from: "latest" });
    const commit = vi.spyOn(member.driver, "commit");
    commit.mockImplementation(async (positions) => positions.map(() => new Error("not allowed")));
    group.assign(0, member);
    await clock.advance(1000);
    cluster.append(0, 2);
    await clock.advance(1000);
    expect([...(oracle.handled[0] ?? [])]).toEqual([0, 1]);
    commit.mockRestore();
    await clock.advance(1000);
    expect(cluster.seat(0).committed.offset).toBe(2);
    await end();
  });
});

describe("where to begin if what is committed is to be ignored", () => {
  it("is what was committed in this run, whichever session had the partition", async () => {
    const { clock, cluster, oracle, start, end } = sceneWith(1);
    const member = await start({
      from: "latest",
      ignoreCommitted: true,
      sessions: 2,
      revokeTimeout: 100,
      fate: (_, offset) => ({ after: offset === 5 ? 1000 : 0, end: "succeeds" }),
    });
    const [first, second] = member.drivers as [SimulatedDriver, SimulatedDriver];
    cluster.append(0, 5);
    first.assign(0);
    oracle.assigned(0);
    await clock.advance(1000);
    cluster.append(0, 1);
    await clock.advance(10);
    await Promise.all([first.revoke(0), clock.advance(500)]);
    second.assign(0);
    oracle.assigned(0);
    await clock.advance(500);
    expect(member.source.partitions()).toMatchObject([{ inFlight: 1, oldestOffset: 5n }]);
    await end();
  });
});

describe("a partition that is moved to another offset", () => {
  it("is committed from there, though nothing ends", async () => {
    const { clock, cluster, group, start, end } = sceneWith(1);
    const member = await start();
    cluster.append(0, 5);
    group.assign(0, member);
    await clock.advance(1000);
    await Promise.all([member.source.seek(group.place(0), 2n), clock.advance(10)]);
    member.source.pause([group.place(0)]);
    await clock.advance(5000);
    expect(cluster.seat(0).committed.offset).toBe(2);
    await end();
  });

  it("hands over nothing more of where it was: no message is in two handlers", async () => {
    const { clock, cluster, group, oracle, start, end } = sceneWith(1);
    const running = new Set<number>();
    const twice: number[] = [];
    const member = await start({
      orderBy: "none",
      fate(_, offset) {
        if (running.has(offset)) twice.push(offset);
        running.add(offset);
        const after = offset === 23 ? 5000 : 500;
        clock.setTimer(() => running.delete(offset), after);
        return { after, end: "succeeds" };
      },
    });
    cluster.maxWait = 100;
    cluster.append(0, 40);
    group.assign(0, member);
    await clock.advance(600);
    oracle.moved(0);
    const moving = member.source.seek(group.place(0), 20n);
    await clock.advance(30_000);
    await moving;
    expect(twice).toEqual([]);
    expect(cluster.seat(0).committed.offset).toBe(40);
    await end();
  });

  it("is refused if that is none, and stays where it is", async () => {
    const { clock, cluster, group, start, end } = sceneWith(1);
    const member = await start();
    cluster.append(0, 5);
    group.assign(0, member);
    await clock.advance(1000);
    const moving = member.source.seek(group.place(0), -1n).catch((error: unknown) => error);
    await clock.advance(5000);
    expect(await moving).toBeInstanceOf(RangeError);
    expect(cluster.seat(0).committed.offset).toBe(5);
    await end();
  });

  it("twice goes to the second of them", async () => {
    const { clock, cluster, group, oracle, start, end } = sceneWith(1);
    const member = await start({ fate: () => ({ after: 500, end: "succeeds" }) });
    cluster.maxWait = 100;
    cluster.append(0, 20);
    group.assign(0, member);
    await clock.advance(100);
    oracle.moved(0);
    const moving = [5n, 15n].map((to) => member.source.seek(group.place(0), to));
    await clock.advance(3000);
    await Promise.all(moving);
    expect(Math.min(...[...(oracle.handled[0] ?? [])].filter((offset) => offset > 3))).toBe(15);
    await end();
  });
});
