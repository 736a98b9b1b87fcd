import { setTimeout as sleep } from "node:timers/promises";
import { describeWith, sharedKafka } from "test-servers/vitest";
import { expect, it } from "vitest";
import { numbered, topicWith } from "../support/events.ts";
import { startMember } from "../support/member.ts";
import { listening } from "../support/said.ts";
import { until } from "../support/until.ts";

/** Milliseconds; brokers allow no less. */
const SESSION = 6000;

describeWith("kafka", "the session of a member", () => {
  it("is kept by a timer, however long handlers take", async () => {
    const member = await startMember({
      ...(await topicWith(numbered(3))),
      sessionTimeout: SESSION,
      handle: () => sleep(SESSION + 2000),
      orderBy: "none",
    });
    await until("all is handled", () => member.handled.length === 3);
    expect(member.running.stats().producers.kafka).toMatchObject({ received: 3, refused: 0 });
  });

  it("is lost by a blocked event loop, which is named, and nothing is acknowledged that belongs to others by then", async () => {
    const { admin } = sharedKafka();
    const topic = await topicWith(numbered(5));
    await listening(async (said) => {
      let blocked = false;
      const member = await startMember({
        ...topic,
        concurrency: 1,
        sessionTimeout: SESSION,
        handle() {
          if (blocked) return;
          blocked = true;
          // Longer than the session; no timer fires meanwhile.
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 14_000);
        },
      });
      await until("all is handled", () => new Set(member.handled).size === 5);
      await until("it is said", () => said("eventLoopBlocked").length > 0);
      expect(said("eventLoopBlocked")[0]).toMatchObject({
        error: { code: "KAFKA_EVENT_LOOP_BLOCKED" },
      });
      await until(
        "all is committed",
        async () => (await admin.committed(topic.groupId))[0]?.offset === 5n,
      );
    });
  });
});
