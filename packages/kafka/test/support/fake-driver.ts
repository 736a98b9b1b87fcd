import type { CommitResult, GroupMember, KafkaDriver, Position } from "../../src/client.ts";

/** The part of a driver that commits are made with; what was committed is remembered. */
export function fakeDriver(member: GroupMember) {
  const committed = new Map<string, number>();
  const now = { member: member as GroupMember | undefined, result: "done" as CommitResult };
  const nameOf = ({ topic, partition }: { topic: string; partition: number }): string =>
    `${topic}:${partition}`;
  const driver: Pick<KafkaDriver, "member" | "isStill" | "commit" | "committed"> = {
    member: async () => now.member,
    isStill: ({ memberId, generationId }) =>
      now.member?.memberId === memberId && now.member.generationId === generationId,
    async commit(positions) {
      if (now.result === "done")
        for (const one of positions) committed.set(nameOf(one), one.offset);
      return positions.map(() => now.result);
    },
    committed: async (partitions) =>
      partitions.map(({ topic, partition }): Position => {
        const offset = committed.get(nameOf({ topic, partition })) ?? -1;
        return { topic, partition, offset, metadata: "" };
      }),
  };
  return { driver: driver as KafkaDriver, committed, now };
}
