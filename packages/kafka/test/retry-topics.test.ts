import { type DeadLetter, DecodeError } from "westend";
import { describe, expect, it, onTestFinished } from "vitest";
import { describeWith, sharedKafka, uniqueName } from "test-servers/vitest";
import { retryTopics, type RetryTopicsOptions } from "@westend/kafka";
import { count, readTopic, type SeenRecord } from "./support/topic.ts";

const SIGNAL = new AbortController().signal;
const bytes = (text: string) => Buffer.from(text);

const letterFrom = (
  topic: string,
  details: Partial<DeadLetter> & { rawHeaders?: Buffer[] } = {},
) => {
  const { rawHeaders = [], ...rest } = details;
  return {
    pipeline: "events",
    source: "kafka",
    payload: bytes("value"),
    metadata: { topic, partition: 1, offset: 41n, timestamp: 1_000, key: bytes("k"), rawHeaders },
    key: "k",
    reason: new Error("timeout"),
    attempts: 3,
    batcher: undefined,
    receivedAt: 5_000,
    failedAt: 6_000,
    ...rest,
  };
};

const facts = ({ headers }: SeenRecord) =>
  Object.fromEntries(headers.filter(([name]) => name.startsWith("westend-")));

/** The headers as a source would give them. */
const raw = ({ headers }: SeenRecord) => headers.flat().map(bytes);

describe("the options of retryTopics", () => {
  it("are refused with all mistakes at once", () => {
    const wrong = {
      brokers: "localhost:9092",
      delayed: [{ topic: "a b", delay: 0 }],
      deadLetter: {},
    };
    expect(() => retryTopics(wrong as unknown as RetryTopicsOptions)).toThrow(/3 mistakes/);
  });
});

describeWith("kafka", "retryTopics", () => {
  const { brokers, admin } = sharedKafka();

  async function open(
    options: Partial<RetryTopicsOptions> = {},
    configs: Record<string, string> = {},
  ) {
    const [first, second] = [uniqueName("retry.1m"), uniqueName("retry.10m")] as const;
    await admin.createTopic(first, { configs });
    await admin.createTopic(second, { configs });
    const dead: DeadLetter[] = [];
    const deadLetter = {
      name: "then",
      write: (letters: readonly DeadLetter[]) => void dead.push(...letters),
    };
    const delayed = [
      { topic: first, delay: 60_000 },
      { topic: second, delay: 600_000 },
    ];
    const sink = retryTopics({ brokers, delayed, deadLetter, ...options });
    await sink.open?.();
    onTestFinished(() => sink.close?.());
    const write = (...letters: DeadLetter[]) => sink.write(letters, SIGNAL);
    return { first, second, dead, write };
  }

  it("lets a message wait in the first, then in the next, and then become a dead letter", async () => {
    const { first, second, dead, write } = await open();
    await write(letterFrom("events", { rawHeaders: ["a", "1"].map(bytes) }));
    const [once] = (await readTopic(brokers, first, count(1))) as [SeenRecord];
    expect(once).toMatchObject({ key: "k", value: "value" });
    expect(once.headers[0]).toEqual(["a", "1"]);
    expect(facts(once)).toMatchObject({ "westend-topic": "events", "westend-attempts": "3" });

    await write(letterFrom(first, { rawHeaders: raw(once), receivedAt: 70_000 }));
    const [twice] = (await readTopic(brokers, second, count(1))) as [SeenRecord];
    expect(twice.headers.filter(([name]) => name === "a")).toEqual([["a", "1"]]);
    expect(facts(twice)).toMatchObject({
      "westend-topic": "events",
      "westend-partition": "1",
      "westend-offset": "41",
      "westend-attempts": "6",
      "westend-received-at": "5000",
    });
    expect(dead).toEqual([]);

    await write(letterFrom(second, { rawHeaders: raw(twice) }));
    expect(dead).toMatchObject([
      { attempts: 9, receivedAt: 5_000, metadata: { topic: "events", partition: 1, offset: 41n } },
    ]);
  });

  it("does not let wait what would not fit its decoder the next time either", async () => {
    const { dead, write } = await open();
    await write(letterFrom("events", { reason: new DecodeError("no JSON") }));
    expect(dead).toHaveLength(1);
  });

  it("lets wait what `when` says", async () => {
    const { first, dead, write } = await open({ when: ({ attempts }) => attempts > 1 });
    await write(letterFrom("events", { attempts: 1 }), letterFrom("events"));
    expect(dead).toMatchObject([{ attempts: 1 }]);
    expect(await readTopic(brokers, first, count(1))).toHaveLength(1);
  });

  it("passes on what came without its content, what comes from elsewhere, and what is too large", async () => {
    const { dead, write } = await open({}, { "max.message.bytes": "3000" });
    const defective = letterFrom("events");
    Object.assign(defective.metadata as object, { defect: new Error("too large") });
    await write(
      defective,
      { ...letterFrom("events"), metadata: { queue: "jobs" } },
      letterFrom("events", { payload: bytes("x".repeat(5_000)) }),
    );
    expect(dead).toHaveLength(3);
  });

  it("does not believe a message from elsewhere where it says it comes from", async () => {
    const { first, write } = await open();
    await write(letterFrom("events", { rawHeaders: ["westend-topic", "payroll"].map(bytes) }));
    const [record] = (await readTopic(brokers, first, count(1))) as [SeenRecord];
    expect(facts(record)["westend-topic"]).toBe("events");
  });
});
