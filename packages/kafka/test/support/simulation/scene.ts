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
  /** Stops all members, and waits until nothing is left that waits. */
  end(): Promise<void>;
}

const AT_ONCE: Fate = { after: 0, end: "succeeds" };

export function sceneWith(partitions: number): Scene {
  const clock = virtualClock();
  const cluster = new SimulatedCluster(clock, partitions);
  const oracle = new Oracle(cluster);
  const group = new SimulatedGroup(cluster, oracle);
  return {
    clock,
    cluster,
    oracle,
    group,
    async start(options) {
      const member = await startMember({ cluster, oracle, fate: () => AT_ONCE, ...options });
      group.members.push(member);
      return member;
    },
    async end() {
      const stopping = Promise.all(
        group.members.map(({ running }) => running.stop({ timeout: 0 })),
      );
      await clock.advance(20_000);
      await stopping;
    },
  };
}
