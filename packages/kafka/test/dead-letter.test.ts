import {
  type DeadLetterSink,
  definePipeline,
  fromIterable,
  type Incoming,
  type Producer,
} from "westend";
import { describe, expect, it } from "vitest";
import { describeWith, sharedKafka, uniqueName } from "test-servers/vitest";
import { kafkaDeadLetter, type KafkaDeadLetterOptions } from "@westend/kafka";
import { count, readTopic } from "./support/topic.ts";

type Metadata = ReturnType<typeof metadata>;

const bytes = (text: string) => Buffer.from(text);

const metadata = (offset: number, headers: string[] = [], key: string | null = "k") => ({
  topic: "events",
  partition: 3,
  offset: BigInt(offset),
  timestamp: 1_700_000_000_000,
  key: key === null ? null : bytes(key),
  rawHeaders: headers.map(bytes),
});

/** A source of messages as Kafka's is; they all fail. */
async function bury(
  deadLetter: DeadLetterSink<unknown, unknown>,
  messages: readonly { payload: Buffer | null; metadata: Metadata }[],
  reason: unknown = new RangeError("too far"),
) {
  const producer: Producer<Buffer | null, Metadata> = {
    name: "kafka",
    open() {
      const rest: Incoming<Buffer | null, Metadata>[] = [...messages];
      return {
        pull: ({ messages: room }) => (rest.length === 0 ? null : rest.splice(0, room)),
        acknowledge: () => undefined,
      };
    },
  };
  const pipeline = definePipeline({
    name: "buried",
    producer,
    processor: { handle: (message) => message.fail(reason) },
    deadLetter,
  });
  return (await pipeline.start()).done;
}

const named = (headers: readonly (readonly [string, string])[]) => Object.fromEntries(headers);

describe("the options of kafkaDeadLetter", () => {
  it("are refused with all mistakes at once", () => {
    const wrong = { brokers: [], topic: "no topic!", seal: "yes" } as unknown;
    expect(() => kafkaDeadLetter(wrong as KafkaDeadLetterOptions)).toThrow(/3 mistakes/);
  });
});

describeWith("kafka", "kafkaDeadLetter", () => {
  const { brokers, admin } = sharedKafka();
  const create = async (configs: Record<string, string> = {}) => {
    const topic = uniqueName("dlq");
    await admin.createTopic(topic, { configs });
    return topic;
  };

  it("keeps key, value and headers of a message, and says in headers what became of it", async () => {
    const topic = await create();
    const report = await bury(
      kafkaDeadLetter({ brokers, topic }),
      [{ payload: bytes("\u0000raw"), metadata: metadata(7, ["a", "1", "a", "2"]) }],
      Object.assign(new RangeError("too \u001b[31mfar"), { code: "E_FAR" }),
    );
    expect(report.deadLettered).toBe(1);
    const [record] = await readTopic(brokers, topic, count(1));
    expect(record).toMatchObject({ key: "k", value: "\u0000raw" });
    expect(record?.headers.slice(0, 2)).toEqual([
      ["a", "1"],
      ["a", "2"],
    ]);
    expect(named(record!.headers)).toMatchObject({
      "westend-pipeline": "buried",
      "westend-source": "kafka",
      "westend-topic": "events",
      "westend-partition": "3",
      "westend-offset": "7",
      "westend-timestamp": "1700000000000",
      "westend-attempts": "1",
      "westend-received-at": expect.stringMatching(/^\d+$/),
      "westend-failed-at": expect.stringMatching(/^\d+$/),
      "westend-error-name": "RangeError",
      "westend-error-code": "E_FAR",
      "westend-error-message": "too far",
      "westend-error-stack": expect.stringMatching(/^at /),
    });
  });

  it("keeps a tombstone a tombstone, and says where a value is missing that was one", async () => {
    const topic = await create();
    const defective = { ...metadata(2, [], null), defect: new Error("too large") };
    await bury(kafkaDeadLetter({ brokers, topic }), [
      { payload: null, metadata: metadata(1) },
      { payload: null, metadata: defective },
    ]);
    const records = await readTopic(brokers, topic, count(2));
    expect(records.map(({ key, value }) => [key, value])).toEqual([
      ["k", null],
      [null, null],
    ]);
    expect(records.map(({ headers }) => named(headers)["westend-value-omitted"])).toEqual([
      undefined,
      "defect",
    ]);
  });

  it("lets no header through that only looks like one of its own", async () => {
    const topic = await create();
    await bury(kafkaDeadLetter({ brokers, topic }), [
      { payload: bytes("x"), metadata: metadata(1, ["westend-topic", "payroll", "b", "2"]) },
    ]);
    const [record] = await readTopic(brokers, topic, count(1));
    expect(record?.headers.filter(([name]) => name === "westend-topic")).toEqual([
      ["westend-topic", "events"],
    ]);
  });

  it("stores what is too large for its topic without the value: by its place", async () => {
    const topic = await create({ "max.message.bytes": "3000" });
    const report = await bury(kafkaDeadLetter({ brokers, topic }), [
      { payload: bytes("small"), metadata: metadata(1) },
      { payload: bytes("x".repeat(5_000)), metadata: metadata(2) },
    ]);
    expect(report.deadLettered).toBe(2);
    const records = await readTopic(brokers, topic, count(2));
    const large = records.find(({ value }) => value === null);
    expect(named(large!.headers)).toMatchObject({
      "westend-offset": "2",
      "westend-value-omitted": "too large",
    });
  });

  it("stores in place of the value what seal makes of it", async () => {
    const topic = await create();
    const seal = () => "sealed";
    await bury(kafkaDeadLetter({ brokers, topic, seal }), [
      { payload: bytes("secret"), metadata: metadata(1) },
    ]);
    const [record] = await readTopic(brokers, topic, count(1));
    expect(record?.value).toBe("sealed");
    expect(named(record!.headers)["westend-sealed"]).toBe("1");
  });

  it("takes letters of other sources, as JSON where they are no bytes", async () => {
    const topic = await create();
    const loop: Record<string, unknown> = {};
    loop["self"] = loop;
    const pipeline = definePipeline({
      name: "other",
      producer: fromIterable<unknown>([{ a: 1 }, "text", loop]),
      processor: { handle: (message) => message.fail("no") },
      deadLetter: kafkaDeadLetter({ brokers, topic }),
    });
    const report = await (await pipeline.start()).done;
    expect(report.deadLettered).toBe(3);
    const records = await readTopic(brokers, topic, count(3));
    expect(new Set(records.map(({ value }) => value))).toEqual(new Set(['{"a":1}', null, "text"]));
    const omitted = records.find(({ value }) => value === null);
    expect(named(omitted!.headers)["westend-value-omitted"]).toBe("not serializable");
  });

  it("keeps a pipeline from starting whose topic is missing, and says so", async () => {
    const deadLetter = kafkaDeadLetter({ brokers, topic: uniqueName("missing") });
    await expect(bury(deadLetter, [])).rejects.toThrow(/finding topic "missing-.*create it/);
  });
});
