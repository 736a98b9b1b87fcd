import { Admin, Consumer, ProduceAcks, Producer } from "@platformatic/kafka";
import { type MiniBroker, type MiniBrokerOptions, startMiniBroker } from "test-servers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Group, type Join } from "../src/mini-broker/group.ts";

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const start = async (options: MiniBrokerOptions = {}): Promise<MiniBroker> => {
  const mini = await startMiniBroker({ topics: { events: 2 }, ...options });
  open.push(() => mini.stop());
  return mini;
};
const producerOf = ({ brokers }: MiniBroker, options: object = {}): Producer => {
  const producer = new Producer({
    clientId: "test",
    bootstrapBrokers: brokers,
    retryDelay: 20,
    ...options,
  });
  open.push(() => producer.close());
  return producer;
};
const consumerOf = ({ brokers }: MiniBroker, options: object = {}): Consumer => {
  const consumer = new Consumer({
    clientId: "test",
    groupId: "g",
    bootstrapBrokers: brokers,
    sessionTimeout: 1000,
    heartbeatInterval: 50,
    retryDelay: 20,
    ...options,
  });
  open.push(() => consumer.close(true));
  return consumer;
};
const send = (producer: Producer, value: string) =>
  producer.send({
    acks: ProduceAcks.ALL,
    messages: [{ topic: "events", partition: 0, value: Buffer.from(value) }],
  });

describe("faults of the mini-broker", () => {
  it("answers the next request of a kind with an error, and the one after it as usual", async () => {
    const mini = await start();
    mini.inject("Produce", { error: 10 });

    await expect(send(producerOf(mini, { retries: 0 }), "a")).rejects.toThrow("failed");
    expect(mini.end("events", 0)).toBe(0n);
    await send(producerOf(mini), "a");

    expect(mini.end("events", 0)).toBe(1n);
  });

  it("drops a connection before the request or after it, when only the answer is lost", async () => {
    const mini = await start();
    const producer = producerOf(mini, { retries: 0 });

    mini.inject("Produce", { drop: "before" });
    await expect(send(producer, "a")).rejects.toThrow("failed");
    expect(mini.end("events", 0)).toBe(0n);

    mini.inject("Produce", { drop: "after" });
    await expect(send(producer, "a")).rejects.toThrow("failed");
    expect(mini.end("events", 0)).toBe(1n);
  });

  it("does not store again what an idempotent producer sends again", async () => {
    const mini = await start();
    const producer = producerOf(mini, { idempotent: true, retries: 5 });
    mini.inject("Produce", { drop: "after" });

    await send(producer, "a");

    expect(mini.requests("Produce")).toBe(2);
    expect(mini.end("events", 0)).toBe(1n);
  });

  it("leaves a request without an answer", async () => {
    const mini = await start();
    mini.inject("Metadata", { hang: true });
    const admin = new Admin({
      clientId: "test",
      bootstrapBrokers: mini.brokers,
      requestTimeout: 100,
      retries: 0,
    });
    open.push(() => admin.close());

    await expect(admin.metadata({})).rejects.toThrow("Request timed out");
  });

  it("shows commits in order, refused ones too", async () => {
    const mini = await start();
    const consumer = consumerOf(mini, { retries: 0 });
    await consumer.joinGroup({});
    const commit = (offset: bigint) =>
      consumer.commit({ offsets: [{ topic: "events", partition: 1, offset, leaderEpoch: 0 }] });

    await commit(3n);
    mini.inject("OffsetCommit", { error: 22 });
    await expect(commit(4n)).rejects.toThrow("OffsetCommit");

    expect(mini.commits.map(({ offset, error }) => [offset, error])).toEqual([
      [3n, 0],
      [4n, 22],
    ]);
    expect(mini.committed("g")).toMatchObject([{ topic: "events", partition: 1, offset: 3n }]);
  });
});

describe("a fetch of the mini-broker", () => {
  it("that waits is answered when something is produced", async () => {
    const mini = await start();
    const consumer = consumerOf(mini, { maxWaitTime: 600_000 });
    const stream = await consumer.consume({ topics: ["events"], mode: "earliest" });
    const first = stream[Symbol.asyncIterator]().next();
    await vi.waitFor(() => expect(mini.requests("Fetch")).toBe(1), { timeout: 20_000 });

    await send(producerOf(mini), "now");

    expect(String((await first).value.value)).toBe("now");
  });
});

describe("groups of the mini-broker", () => {
  it("wait for others as long as they are told when they begin", async () => {
    const mini = await start({ initialRebalanceDelay: 300 });
    const [one, two] = [consumerOf(mini), consumerOf(mini)];

    await Promise.all([one.joinGroup({}), two.joinGroup({})]);

    expect(mini.group("g")).toMatchObject({ generation: 1, members: { length: 2 } });
  });
});

describe("a group", () => {
  const groups: Group[] = [];
  afterEach(() => {
    for (const group of groups.splice(0)) group.close();
  });
  const groupOf = (): Group => {
    const group = new Group(0);
    groups.push(group);
    return group;
  };
  const join = (memberId = "", instanceId: string | null = null, metadata = "m"): Join => ({
    memberId,
    instanceId,
    sessionTimeout: 60_000,
    rebalanceTimeout: 60_000,
    protocols: [{ name: "range", metadata: Buffer.from(metadata) }],
  });
  /** Joins as clients do: once for an id, once with it. */
  const enter = async (group: Group) => {
    const { memberId } = await group.join(join());
    return { memberId, joined: Promise.resolve(group.join(join(memberId))) };
  };
  const claim = (memberId: string, generation: number, instanceId: string | null = null) => ({
    memberId,
    generation,
    instanceId,
  });
  const stable = async (members: number): Promise<{ group: Group; ids: string[] }> => {
    const group = groupOf();
    const ids: string[] = [];
    for (let count = 0; count < members; count++) {
      const next = await enter(group);
      for (const id of ids) void group.join(join(id));
      await next.joined;
      ids.push(next.memberId);
    }
    const parts = new Map(ids.map((id) => [id, Buffer.from(id)]));
    await group.sync(claim(ids[0]!, group.generation), parts);
    return { group, ids };
  };

  it("gives a newcomer its id first", async () => {
    const group = groupOf();

    const first = await group.join(join());

    expect(first.error).toBe(79);
    expect(await group.join(join(first.memberId))).toMatchObject({
      error: 0,
      leader: first.memberId,
    });
    expect(await group.join(join("somebody"))).toMatchObject({ error: 25 });
  });

  it("tells its members of a rebalance by heartbeat, and lets them commit until it ends", async () => {
    const { group, ids } = await stable(1);
    const member = claim(ids[0]!, group.generation);

    const { joined } = await enter(group);

    expect(group.state).toBe("preparing");
    expect(group.heartbeat(member)).toBe(27);
    expect(group.mayCommit(member)).toBe(0);
    void group.join(join(ids[0]));
    await joined;
    expect(group.state).toBe("completing");
    expect(group.mayCommit(member)).toBe(22);
    expect(group.mayCommit(claim(ids[0]!, group.generation))).toBe(27);
  });

  it("gives a follower its assignment, whether it asks before the leader has made it or after", async () => {
    const { group, ids } = await stable(2);
    const [leader, follower] = ids as [string, string];
    const late = await group.sync(claim(follower, group.generation), new Map());
    expect(String(late.assignment)).toBe(follower);

    void group.join(join(leader));
    await group.join(join(follower));
    const early = Promise.resolve(group.sync(claim(follower, group.generation), new Map()));
    await group.sync(claim(leader, group.generation), new Map([[follower, Buffer.from("new")]]));

    expect(String((await early).assignment)).toBe("new");
  });

  it("takes a member out that is silent for its session's time", async () => {
    vi.useFakeTimers();
    try {
      const { group, ids } = await stable(1);
      await vi.advanceTimersByTimeAsync(59_999);
      expect(group.heartbeat(claim(ids[0]!, group.generation))).toBe(0);
      await vi.advanceTimersByTimeAsync(59_999);
      expect(group.state).toBe("stable");

      await vi.advanceTimersByTimeAsync(1);

      expect(group.state).toBe("empty");
    } finally {
      vi.useRealTimers();
    }
  });

  it("leaves out who does not come to a rebalance in time", async () => {
    vi.useFakeTimers();
    try {
      const { group, ids } = await stable(2);
      void group.join(join(ids[0]));

      await vi.advanceTimersByTimeAsync(60_000);

      expect(group.members).toEqual([ids[0]]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("gives a static member that comes back its place without a rebalance, and fences the old one", async () => {
    const group = groupOf();
    const first = await group.join(join("", "host-1"));
    const { generation } = first;
    const parts = new Map([[first.memberId, Buffer.from("all")]]);
    await group.sync(claim(first.memberId, generation, "host-1"), parts);

    const again = await group.join(join("", "host-1"));

    expect(again).toMatchObject({ error: 0, generation });
    const synced = await group.sync(claim(again.memberId, generation, "host-1"), new Map());
    expect(String(synced.assignment)).toBe("all");
    expect(group.heartbeat(claim(first.memberId, generation, "host-1"))).toBe(82);
  });

  it("refuses a member that speaks no protocol of the others", async () => {
    const { group } = await stable(1);
    const other = { ...join(), protocols: [{ name: "sticky", metadata: Buffer.from("") }] };

    expect(await group.join(other)).toMatchObject({ error: 23 });
  });
});
