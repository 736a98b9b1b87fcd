import { virtualClock, type VirtualClock } from "westend/testing";
import { SimulatedCluster } from "./cluster.ts";
import { SimulatedGroup } from "./group.ts";
import { type Fate, type MemberOptions, type SimulatedMember, startMember } from "./member.ts";
import { Oracle } from "./oracle.ts";

/** A cluster, a group on it, and whoever watches them. */
export interface Scene {
  readonly clock: VirtualClock;
  readonly cluster: SimulatedCluster;
  readonly oracle: Oracle;
  readonly group: SimulatedGroup;
  /** Starts a member; its messages succeed at once unless `fate` says otherwise. */
  start(options?: Partial<MemberOptions>): Promise<SimulatedMember>;
  /** Lets things go their way, not waiting for them; what goes wrong with them is noted. */
  under(way: Promise<unknown>): void;
  /** Stops all members, and waits until nothing is left that waits. */
  end(): Promise<void>;
  /** Nothing goes wrong any more, and there is time for everything. What was wrong, or is not done by then. */
  verdict(): Promise<string[]>;
}

const AT_ONCE: Fate = { after: 0, end: "succeeds" };
/** Milliseconds in which everything that can end does, however often it was tried again. */
const CALM = 20_000;
const ROUNDS = 4;

export function sceneWith(partitions: number): Scene {
  const clock = virtualClock();
  const cluster = new SimulatedCluster(clock, partitions);
  const oracle = new Oracle(cluster);
  const group = new SimulatedGroup(cluster, oracle);
  const scene: Scene = {
    clock,
    cluster,
    oracle,
    group,
    async start(options) {
      const member = await startMember({ cluster, oracle, fate: () => AT_ONCE, ...options });
      group.members.push(member);
      return member;
    },
    under: (way) => void way.catch((error) => oracle.problems.push(String(error))),
    async end() {
      const stopping = Promise.all(
        group.members.map(({ running }) => running.stop({ timeout: 0 })),
      );
      await clock.advance(CALM);
      await stopping;
    },
    async verdict() {
      cluster.heal();
      if (group.members.length === 0) await scene.start();
      for (let round = 0; round < ROUNDS; round++) {
        group.settle();
        for (const { source } of group.members) source.resume(group.places);
        await clock.advance(CALM);
      }
      oracle.atTheEnd();
      await scene.end();
      if (clock.timers > 0) oracle.problems.push(`${clock.timers} timers are left`);
      return oracle.problems;
    },
  };
  return scene;
}
