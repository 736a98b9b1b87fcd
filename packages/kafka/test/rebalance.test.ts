import { setTimeout as sleep } from "node:timers/promises";

import { describeWith, sharedKafka, uniqueName } from "test-servers/vitest";
import { expect, it } from "vitest";
import { writeEvents } from "./support/events.ts";
import { until } from "./support/until.ts";
import { eventsFor, type Member, type MemberOptions, startMember } from "./support/member.ts";

const owned = (member: Member): number[] =>
  member.source.partitions().map(({ partition }) => partition);

const total = (...all: Member[]): number =>
  all.reduce((sum, { handled }) => sum + handled.length, 0);

describeWith("kafka", "members of a group", () => {
  async function topicOf(
    partitions: number,
    events: number,
  ): Promise<Omit<MemberOptions, "handle">> {
    const { brokers, admin } = sharedKafka();
    const topic = uniqueName("rebalance");
    await admin.createTopic(topic, { partitions });
    await writeEvents(brokers, topic, eventsFor(partitions, events));
    return { brokers, topic, groupId: topic };
  }

  it("share the partitions when one joins in the middle, and handle each message once", async () => {
    const group = await topicOf(4, 2000);
    const handle = (): Promise<void> => sleep(5);
    const first = await startMember({ ...group, handle });
    await until("the first is at work", () => first.handled.length > 100);
    const second = await startMember({ ...group, handle });
    await until("both have two", () => owned(first).length === 2 && owned(second).length === 2);
    await until("all is handled", () => total(first, second) >= 2000);
    const all = [...first.handled, ...second.handled];
    expect([new Set(all).size, all.length]).toEqual([2000, 2000]);
    expect(second.handled.length).toBeGreaterThan(0);
  });

  it("say together what is left, when they are of one pipeline", async () => {
    const group = await topicOf(2, 40);
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const { running, source } = await startMember({
      ...group,
      sessions: 2,
      maxInFlight: 2,
      handle: () => gate,
    });
    await until("each has one at work", () => {
      const mine = source.partitions();
      return mine.length === 2 && mine.every(({ end, inFlight }) => end === 20n && inFlight === 1);
    });
    expect(running.stats().producers["kafka"]).toMatchObject({ open: 2, remaining: 38 });
    release();
  });

  it("hand over to the others when one stops, which repeat nothing", async () => {
    const group = await topicOf(4, 1000);
    const handle = (): Promise<void> => sleep(5);
    const first = await startMember({ ...group, handle });
    const second = await startMember({ ...group, handle });
    await until("both are at work", () => first.handled.length > 20 && second.handled.length > 20);
    await first.running.stop();
    await until("all is handled", () => total(first, second) >= 1000);
    const all = [...first.handled, ...second.handled];
    expect([new Set(all).size, all.length]).toEqual([1000, 1000]);
  });

  it("keep working on the partitions that they keep", async () => {
    const group = await topicOf(2, 4);
    const { brokers } = sharedKafka();
    const first = await startMember(group);
    await until(
      "the first has both",
      () => owned(first).length === 2 && first.handled.length === 4,
    );
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const second = await startMember({ ...group, handle: () => held });
    await until("each has one", () => owned(first).length === 1 && owned(second).length === 1);
    const [kept = 0] = owned(first);
    const [given = 0] = owned(second);
    await writeEvents(brokers, group.topic, [{ value: "held", partition: given }]);
    await until("the second is busy", () => second.source.partitions()[0]?.inFlight === 1);
    const third = startMember(group);
    await writeEvents(brokers, group.topic, [{ value: "on", partition: kept }]);
    await until("the kept partition goes on", () => first.handled.length === 5);
    release();
    await third;
    await until("the held one is handled", () => second.handled.length === 1);
    expect(first.handled).toHaveLength(5);
  });

  it("commit what they have come to before they give a partition away", async () => {
    const group = await topicOf(2, 100);
    const { admin } = sharedKafka();
    const first = await startMember({ ...group, commitInterval: 60_000 });
    await until("all is handled", () => first.handled.length === 100);
    const second = await startMember(group);
    await until("the second has one", () => owned(second).length === 1);
    const [partition] = owned(second);
    const committed = await admin.committed(group.groupId);
    expect(committed.find((one) => one.partition === partition)?.offset).toBe(50n);
    expect(second.handled).toEqual([]);
  });
});
