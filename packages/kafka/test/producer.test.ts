import { setTimeout as sleep } from "node:timers/promises";
import { Producer } from "@platformatic/kafka";
import { type DeadLetter, definePipeline, json } from "westend";
import { kafka, type KafkaMetadata, type KafkaOptions } from "@westend/kafka";
import { describeWith, sharedKafka, uniqueName } from "test-servers/vitest";
import { afterEach, expect, it } from "vitest";
import { type NewEvent, writeEvents } from "./support/events.ts";
import { type Member, type MemberOptions, soon, startMember } from "./support/member.ts";
import { listening } from "./support/said.ts";
import { until } from "./support/until.ts";

const members: Member[] = [];
const start = async (options: MemberOptions): Promise<Member> => {
  const member = await startMember(options);
  members.push(member);
  return member;
};

afterEach(async () => {
  await Promise.all(members.splice(0).map(({ running }) => running.stop({ timeout: 5000 })));
});

interface Topic {
  readonly brokers: string[];
  readonly topic: string;
  readonly groupId: string;
}

async function topicWith(
  events: readonly NewEvent[],
  options: { partitions?: number; compression?: "gzip" | "snappy" | "lz4" | "zstd" } = {},
): Promise<Topic> {
  const { brokers, admin } = sharedKafka();
  const topic = uniqueName("producer");
  await admin.createTopic(topic, { partitions: options.partitions ?? 1 });
  if (events.length > 0) await writeEvents(brokers, topic, events, options);
  return { brokers, topic, groupId: topic };
}

const numbered = (count: number, event: Partial<NewEvent> = {}): NewEvent[] =>
  Array.from({ length: count }, (_, index) => ({ value: `${index}`, partition: 0, ...event }));

interface Seen {
  readonly data: string | null;
  readonly metadata: KafkaMetadata;
}

const reasonOf = ([letter]: readonly DeadLetter<unknown, KafkaMetadata>[]): string =>
  String(letter?.reason);

/** Reads a topic to its end. */
async function readAll(
  { topic, ...rest }: Topic,
  options: Partial<KafkaOptions> = {},
): Promise<{ seen: Seen[]; letters: DeadLetter<unknown, KafkaMetadata>[] }> {
  const seen: Seen[] = [];
  const letters: DeadLetter<unknown, KafkaMetadata>[] = [];
  const running = await definePipeline({
    name: "read-all",
    producer: kafka({ ...soon, ...rest, topics: topic, finite: true, ...options }),
    processor: {
      handle: ({ data, metadata }) => void seen.push({ data: data && data.toString(), metadata }),
    },
    deadLetter: { name: "letters", write: (all: never) => void letters.push(...(all as [])) },
  }).start();
  await running.done;
  return { seen, letters };
}

describeWith("kafka", "a message of kafka()", () => {
  it("comes with what Kafka says about it", async () => {
    const headers = new Map([["trace", "abc"]]);
    const topic = await topicWith([{ value: "one", key: "k", headers }]);
    const { seen } = await readAll(topic);
    expect(seen).toMatchObject([
      {
        data: "one",
        metadata: {
          topic: topic.topic,
          partition: 0,
          offset: 0n,
          key: Buffer.from("k"),
          leaderEpoch: 0,
        },
      },
    ]);
    const [{ metadata }] = seen as [Seen];
    expect(metadata.headers.get("trace")?.toString()).toBe("abc");
    expect(metadata.rawHeaders.map(String)).toEqual(["trace", "abc"]);
    expect(metadata.timestamp).toBeGreaterThan(1.7e12);
  });

  it("is null where a key was deleted, which json() fails as a tombstone", async () => {
    const topic = await topicWith([{ value: null, key: "k" }]);
    const letters: DeadLetter[] = [];
    const running = await definePipeline({
      name: "tombstones",
      producer: kafka({
        ...soon,
        brokers: topic.brokers,
        groupId: "t",
        topics: topic.topic,
        finite: true,
      }),
      decoder: json(),
      processor: { handle() {} },
      deadLetter: { name: "letters", write: (all: never) => void letters.push(...(all as [])) },
    }).start();
    await running.done;
    expect(letters.map(({ reason }) => (reason as Error).message)).toEqual([
      expect.stringContaining("tombstone"),
    ]);
  });

  it.each(["gzip", "snappy", "lz4", "zstd"] as const)(
    "is decompressed: %s",
    async (compression) => {
      const topic = await topicWith(numbered(500), { compression });
      const { seen } = await readAll(topic);
      expect(seen.map(({ data }) => data)).toEqual(numbered(500).map(({ value }) => value));
    },
  );

  it("becomes a dead letter by its place if it is too large, and disturbs no other", async () => {
    const topic = await topicWith([{ value: "a" }, { value: "x".repeat(5000) }, { value: "b" }]);
    const { seen, letters } = await readAll(topic, { maxMessageBytes: 1000 });
    expect(seen.map(({ data }) => data)).toEqual(["a", "b"]);
    expect(letters).toMatchObject([
      { payload: null, attempts: 1, metadata: { offset: 1n, key: null } },
    ]);
    expect(reasonOf(letters)).toMatch(/more than maxMessageBytes \(1000\)/);
  });

  it("becomes a dead letter if it has too many headers", async () => {
    const headers = new Map(Array.from({ length: 20 }, (_, index) => [`h${index}`, "x"]));
    const { letters } = await readAll(await topicWith([{ value: "a", headers }]), {
      maxHeaders: 10,
    });
    expect(reasonOf(letters)).toMatch(/20 headers, more than maxHeaders \(10\)/);
  });

  it.each(["gzip", "snappy", "lz4", "zstd"] as const)(
    "is not decompressed beyond the limit: %s",
    async (compression) => {
      const topic = await topicWith([], {});
      const bomb = { value: Buffer.alloc(900_000), partition: 0 };
      await writeEvents(topic.brokers, topic.topic, [bomb], { compression });
      await writeEvents(topic.brokers, topic.topic, [{ value: "after", partition: 0 }]);
      const { seen, letters } = await readAll(topic, { maxBatchBytes: 500_000 });
      expect(seen.map(({ data }) => data)).toEqual(["after"]);
      expect(reasonOf(letters)).toMatch(/would take more than 500000 bytes/);
    },
  );

  it("does not come if its transaction was given up", async () => {
    const topic = await topicWith([]);
    const producer = new Producer({
      clientId: "t",
      bootstrapBrokers: topic.brokers,
      idempotent: true,
      transactionalId: topic.topic,
      retries: 10,
    });
    const send = async (value: string, end: "commit" | "abort"): Promise<void> => {
      const transaction = await producer.beginTransaction();
      await transaction.send({
        messages: [{ topic: topic.topic, partition: 0, value: Buffer.from(value) }],
      });
      await transaction[end]();
    };
    await send("kept", "commit");
    await send("given up", "abort");
    await send("kept too", "commit");
    await producer.close();
    const { seen } = await readAll(topic);
    expect(seen.map(({ data }) => data)).toEqual(["kept", "kept too"]);
    const { seen: all } = await readAll({ ...topic, groupId: "all" }, { isolation: "uncommitted" });
    expect(all.map(({ data }) => data)).toEqual(["kept", "given up", "kept too"]);
  });
});

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
    const member = await start({
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
    const first = await start({
      ...topic,
      handle: ({ offset }) => (offset === 5 ? never : undefined),
    });
    await until("all but one are handled", () => first.handled.length === 49);
    await first.running.stop({ timeout: 200 });
    expect(await admin.committed(topic.groupId)).toMatchObject([
      { offset: 5n, metadata: expect.stringMatching(/^westend1:/) as string },
    ]);
    const second = await start(topic);
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
    const member = await start({ ...topic, from: "latest" });
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
    const first = await start({
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
    const member = await start(topic);
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
    const member = await start({
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
      await start({
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

describeWith("kafka", "a partition", () => {
  it("that is stuck holds up no other", async () => {
    const events = [...numbered(200, { key: "stuck" }), ...numbered(200, { partition: 1 })];
    const topic = await topicWith(events, { partitions: 2 });
    const member = await start({
      ...topic,
      maxInFlight: 40,
      handle: ({ partition }) => (partition === 0 ? new Promise(() => {}) : undefined),
    });
    await until("the other one is done", () => member.handled.length === 200);
    expect(member.source.partitions()[0]).toMatchObject({ partition: 0, lag: 200 });
    await member.running.stop({ timeout: 100 });
  });

  it("is not read further ahead of its oldest message than allowed", async () => {
    const topic = await topicWith(numbered(100));
    const never = new Promise<void>(() => {});
    const member = await start({
      ...topic,
      maxAhead: 20,
      orderBy: "none",
      handle: ({ offset }) => (offset === 0 ? never : undefined),
    });
    await until("it has come so far", () => member.handled.length === 19);
    await sleep(200);
    expect(member.handled).toHaveLength(19);
    await member.running.stop({ timeout: 100 });
  });

  it("can be paused and resumed on its own", async () => {
    const topic = await topicWith([], { partitions: 2 });
    const member = await start(topic);
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
      const member = await start({ ...topic, progressTimeout: 1500, handle: () => held });
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
