import { setTimeout as sleep } from "node:timers/promises";
import type { KafkaOptions } from "@westend/kafka";
import { describeWith, sharedKafka } from "test-servers/vitest";
import { expect, it } from "vitest";
import { type NewEvent, numbered, topicWith, writeEvents } from "./support/events.ts";
import { startMember } from "./support/member.ts";
import { readAll } from "./support/read-all.ts";
import { listening } from "./support/said.ts";
import { until } from "./support/until.ts";

describeWith("kafka", "the order of kafka()", () => {
  /** The most that ran at once, and the offsets in the order in which they ended. */
  async function run(
    events: NewEvent[],
    orderBy: KafkaOptions["orderBy"],
  ): Promise<[number, number[]]> {
    const topic = await topicWith(events);
    let now = 0;
    let most = 0;
    const ended: number[] = [];
    const member = await startMember({
      ...topic,
      orderBy,
      async handle({ offset }) {
        most = Math.max(most, ++now);
        // The later, the faster.
        await sleep(Math.max(1, 40 - offset));
        now--;
        ended.push(offset);
      },
    });
    await until("all is handled", () => member.handled.length === events.length);
    return [most, ended];
  }

  it("is kept for messages of one key", async () => {
    const [most, ended] = await run(numbered(20, { key: "same" }), "key");
    expect([most, ended]).toEqual([1, numbered(20).map(({ value }) => Number(value))]);
  });

  it("holds up no message of another key, nor one without a key", async () => {
    const events = numbered(10).flatMap((event, index) => [{ ...event, key: `k${index}` }, event]);
    const [most] = await run(events, "key");
    expect(most).toBe(10);
  });

  it("is that of the partition if it is asked for", async () => {
    const [most] = await run(numbered(10), "partition");
    expect(most).toBe(1);
  });
});

describeWith("kafka", "where kafka() begins", () => {
  it("is behind what has ended, and what had ended beyond the commit is not repeated", async () => {
    const topic = await topicWith(numbered(50));
    const { admin } = sharedKafka();
    const never = new Promise<void>(() => {});
    const first = await startMember({
      ...topic,
      handle: ({ offset }) => (offset === 5 ? never : undefined),
    });
    await until("all but one are handled", () => first.handled.length === 49);
    await first.running.stop({ timeout: 200 });
    expect(await admin.committed(topic.groupId)).toMatchObject([
      { offset: 5n, metadata: expect.stringMatching(/^westend1:/) as string },
    ]);
    const second = await startMember(topic);
    await until("it comes again", () => second.handled.length === 1);
    await until("all is committed", async () => {
      const [position] = await admin.committed(topic.groupId);
      return position?.offset === 50n && position.metadata === "";
    });
    expect(second.handled).toEqual(["0:5"]);
    expect(second.source.partitions()).toMatchObject([{ skipped: 44, lag: 0, inFlight: 0 }]);
  });

  it("is the end of the topic if `from` says so", async () => {
    const topic = await topicWith(numbered(5));
    const member = await startMember({ ...topic, from: "latest" });
    await until("it has its partition", () => member.source.partitions().length === 1);
    await writeEvents(topic.brokers, topic.topic, numbered(2));
    await until("the new ones are handled", () => member.handled.length === 2);
    expect(member.handled).toEqual(["0:5", "0:6"]);
  });

  it("is a moment if `from` says so", async () => {
    const topic = await topicWith(numbered(3));
    const { seen } = await readAll(topic);
    await until("the clock has gone on", () => Date.now() > seen[2]!.metadata.timestamp);
    const timestamp = Date.now();
    await writeEvents(topic.brokers, topic.topic, numbered(2));
    const later = await readAll({ ...topic, groupId: "later" }, { from: { timestamp } });
    expect(later.seen.map(({ metadata }) => metadata.offset)).toEqual([3n, 4n]);
  });

  it("is not what was committed if that is to be ignored", async () => {
    const topic = await topicWith(numbered(3));
    await readAll(topic);
    expect((await readAll(topic)).seen).toHaveLength(0);
    expect((await readAll(topic, { ignoreCommitted: true })).seen).toHaveLength(3);
  });

  it("is the oldest message if what was committed has been deleted, and that is said", async () => {
    const topic = await topicWith(numbered(10));
    const { admin } = sharedKafka();
    const first = await startMember({
      ...topic,
      handle: ({ offset }) => (offset < 2 ? undefined : new Promise(() => {})),
      maxInFlight: 4,
      orderBy: "partition",
    });
    await until(
      "two are committed",
      async () => (await admin.committed(topic.groupId))[0]?.offset === 2n,
    );
    await first.running.stop({ timeout: 100 });
    await admin.deleteRecords(topic.topic, 0, 7n);
    await listening(async (said) => {
      const { seen } = await readAll(topic);
      expect(seen.map(({ metadata }) => metadata.offset)).toEqual([7n, 8n, 9n]);
      expect(said("offsetReset")).toMatchObject([{ partition: 0, from: 2, to: 7 }]);
    });
  });

  it("can be moved while it runs", async () => {
    const topic = await topicWith(numbered(10));
    const { admin } = sharedKafka();
    const member = await startMember(topic);
    await until("all is handled", () => member.handled.length === 10);
    await member.source.seek({ topic: topic.topic, partition: 0 }, 7n);
    await until("three come again", () => member.handled.length === 13);
    expect(member.handled.slice(10).sort()).toEqual(["0:7", "0:8", "0:9"]);
    await until(
      "they are committed",
      async () => (await admin.committed(topic.groupId))[0]?.offset === 10n,
    );
    await expect(member.source.seek({ topic: "other", partition: 0 }, 0n)).rejects.toThrow(
      RangeError,
    );
  });
});

describeWith("kafka", "a message that fails", () => {
  it("comes again, and what is committed stays before it", async () => {
    const topic = await topicWith(numbered(10));
    const { admin } = sharedKafka();
    let failures = 0;
    const member = await startMember({
      ...topic,
      retryDelay: 300,
      handle({ offset }) {
        if (offset === 3 && ++failures <= 2) throw new Error("not yet");
      },
    });
    await until(
      "the others are committed",
      async () => (await admin.committed(topic.groupId))[0]?.offset === 3n,
    );
    await until("it is handled", () => member.handled.length === 10);
    await until(
      "all is committed",
      async () => (await admin.committed(topic.groupId))[0]?.offset === 10n,
    );
    expect(failures).toBe(3);
  });

  it("is passed over if it is to be, and that is said", async () => {
    const topic = await topicWith(numbered(4));
    const { admin } = sharedKafka();
    await listening(async (said) => {
      await startMember({
        ...topic,
        onFailure: "commit",
        handle({ offset }) {
          if (offset === 1) throw new Error("never");
        },
      });
      await until(
        "all is committed",
        async () => (await admin.committed(topic.groupId))[0]?.offset === 4n,
      );
      expect(said("passedOver")).toEqual([{ count: 1 }]);
    });
  });
});

describeWith("kafka", "a topic that is read to its end", () => {
  it("has been handled to its end by all sessions together", async () => {
    const events = [0, 1, 2, 3].flatMap((partition) => numbered(100, { partition }));
    const topic = await topicWith(events, { partitions: 4 });
    const member = await startMember({
      ...topic,
      finite: true,
      sessions: 2,
      handle: () => sleep(20),
    });
    await member.running.done;
    expect(new Set(member.handled).size).toBe(400);
  });
});

describeWith("kafka", "a partition", () => {
  it("that is stuck holds up no other", async () => {
    const events = [...numbered(200, { key: "stuck" }), ...numbered(200, { partition: 1 })];
    const topic = await topicWith(events, { partitions: 2 });
    const member = await startMember({
      ...topic,
      maxInFlight: 40,
      handle: ({ partition }) => (partition === 0 ? new Promise(() => {}) : undefined),
    });
    await until("the other one is done", () => member.handled.length === 200);
    expect(member.source.partitions()[0]).toMatchObject({ partition: 0, lag: 200 });
    await member.running.stop({ timeout: 100 });
  });

  it("is not read further ahead of its oldest message than allowed", async () => {
    const topic = await topicWith(numbered(100), { partitions: 2 });
    const never = new Promise<void>(() => {});
    const member = await startMember({
      ...topic,
      maxAhead: 20,
      orderBy: "none",
      handle: ({ place }) => (place === "0:0" ? never : undefined),
    });
    await until("it has come so far", () => member.handled.length >= 19);
    // All of this comes after it: what it may have gone on with would be handled by then, too.
    await writeEvents(topic.brokers, topic.topic, numbered(100, { partition: 1 }));
    await until("the other one is done", () => member.source.partitions()[1]?.committed === 100n);
    expect(member.handled.filter((place) => place.startsWith("0:"))).toHaveLength(19);
    await member.running.stop({ timeout: 100 });
  });

  it("can be paused and resumed on its own", async () => {
    const topic = await topicWith([], { partitions: 2 });
    const member = await startMember(topic);
    const where = [{ topic: topic.topic, partition: 0 }];
    await until("it has both", () => member.source.partitions().length === 2);
    member.source.pause(where);
    await writeEvents(topic.brokers, topic.topic, [
      ...numbered(5),
      ...numbered(5, { partition: 1 }),
    ]);
    await until("the other one is done", () => member.handled.length === 5);
    await until("it is known what waits", () => member.source.partitions()[0]?.lag === 5);
    expect(member.handled.every((place) => place.startsWith("1:"))).toBe(true);
    expect(member.source.partitions().map(({ paused }) => paused)).toEqual([true, false]);
    member.source.resume(where);
    await until("both are done", () => member.handled.length === 10);
  });

  it("that makes no progress is reported, and the source is not ready", async () => {
    const topic = await topicWith(numbered(3));
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await listening(async (said) => {
      const member = await startMember({ ...topic, progressTimeout: 1500, handle: () => held });
      await until("it is stalled", () => said("stalled").length === 1);
      expect(member.source.ready).toBe(false);
      expect(said("stalled")).toMatchObject([
        { partitions: [{ partition: 0, lag: 3, oldestOffset: 0n }] },
      ]);
      release();
      await until("it gets on", () => member.source.ready);
      expect(said("progressing")).toHaveLength(1);
    });
  });
});
