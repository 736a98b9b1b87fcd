import type { Settled } from "westend";
import { virtualClock } from "westend/testing";
import { describe, expect, it } from "vitest";
import { Acknowledger } from "../src/acknowledger.ts";
import type { CommitResult, KafkaDriver } from "../src/client.ts";
import { KafkaMessage, type KafkaMetadata } from "../src/message.ts";
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

describe("a message that fails, and waits for another time", () => {
  it("keeps its own content, and lets go of what was fetched with it", () => {
    const { acknowledger, partition } = committing();
    const fetched = Buffer.alloc(2 ** 20, "kkvvvvhhhhhh");
    const record = {
      offset: 0,
      timestamp: 0,
      leaderEpoch: 0,
      key: fetched.subarray(0, 2),
      value: fetched.subarray(2, 6),
      headers: [fetched.subarray(6, 8), null, fetched.subarray(8, 8), fetched.subarray(8, 12)],
      size: 12,
      defect: undefined,
    };
    const message = new KafkaMessage(record, "kk", partition);
    const failed = [{ incoming: message }] as unknown as Settled<KafkaMetadata>["failed"];
    acknowledger.acknowledge({ succeeded: [], failed });
    const { key, rawHeaders } = message.metadata;
    expect([message.payload, key, ...rawHeaders].map((each) => each?.toString())).toEqual([
      "vvvv",
      "kk",
      "hh",
      undefined,
      "",
      "hhhh",
    ]);
    for (const each of [message.payload, key, rawHeaders[3]]) {
      expect(each?.buffer.byteLength).toBe(12);
    }
    acknowledger.end();
  });
});
