import { virtualClock } from "westend/testing";
import { describe, expect, it } from "vitest";
import { Acknowledger } from "../src/acknowledger.ts";
import type { CommitResult, KafkaDriver } from "../src/client.ts";
import { Partition } from "../src/partition.ts";

/** One whose only commit is answered when the test says so. */
function committing() {
  const clock = virtualClock();
  const { promise, resolve: answer } = Promise.withResolvers<readonly CommitResult[]>();
  const partition = new Partition({ topic: "events", partition: 0 }, 0, "", "key");
  partition.tracker.passed(5);
  const lost: Partition[] = [];
  const acknowledger = new Acknowledger({
    clock,
    driver: { commit: () => promise } as Partial<KafkaDriver> as KafkaDriver,
    commitInterval: 100,
    transactions: undefined,
    onFailure: "retry",
    retryDelay: 1000,
    partitions: () => [partition],
    redeliver: () => undefined,
    lost: (partitions) => void lost.push(...partitions),
    passedOver: () => undefined,
    troubled: (error) => expect.unreachable(error.message),
  });
  acknowledger.schedule();
  return { acknowledger, answer, clock, lost, partition };
}

describe("a commit that is refused because the partition is not ours", () => {
  it("tells that the partition is lost", async () => {
    const { acknowledger, answer, clock, lost, partition } = committing();
    await clock.advance(100);
    answer(["lost"]);
    await clock.settle();
    expect(lost).toEqual([partition]);
    acknowledger.end();
  });

  it("says nothing of a later ownership, if the partition has come back", async () => {
    const { acknowledger, answer, clock, lost, partition } = committing();
    await clock.advance(100);
    partition.close();
    answer(["lost"]);
    await clock.settle();
    expect(lost).toEqual([]);
    acknowledger.end();
  });
});
