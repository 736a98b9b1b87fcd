import { definePipeline, fromIterable, retry } from "westend";
import { afterEach, describe, expect, it } from "vitest";
import { describeWith, sharedKafka, uniqueName } from "test-servers/vitest";
import { startKafka } from "test-servers";
import { ConfigurationError } from "westend";
import { type KafkaSink, type KafkaWriteError, toKafka, type ToKafkaOptions } from "@westend/kafka";
import { count, readTopic } from "./support/topic.ts";

const sinks: KafkaSink[] = [];
const open = (options: ToKafkaOptions): KafkaSink => {
  const sink = toKafka(options);
  sinks.push(sink);
  return sink;
};

afterEach(async () => {
  await Promise.all(sinks.splice(0).map((sink) => sink.close()));
});

/** Runs payloads through a pipeline with this sink; resolves with its account and the errors of what failed. */
async function run(
  sink: KafkaSink,
  payloads: readonly string[],
  batcher: { attempts?: number; size?: number; onError?: (error: KafkaWriteError) => void } = {},
) {
  const failures: { payload: string; error: KafkaWriteError }[] = [];
  const pipeline = definePipeline({
    name: "sink",
    producer: fromIterable(payloads),
    processor: { handle: (message) => message.to("out") },
    batchers: {
      out: {
        size: batcher.size ?? 100,
        timeout: 10,
        retry: retry({
          attempts: batcher.attempts ?? 1,
          when(error) {
            batcher.onError?.(error as KafkaWriteError);
            return (error as KafkaWriteError).retriable;
          },
        }),
        handle: (messages, _batch, signal) =>
          sink.send(messages, ({ data }) => ({ key: data.slice(0, 1), value: data }), signal),
      },
    },
    onFailed(messages) {
      for (const { payload, reason } of messages) {
        failures.push({ payload, error: reason as KafkaWriteError });
      }
    },
  });
  const running = await pipeline.start();
  return { report: await running.done, failures };
}

describe("the options of toKafka", () => {
  it("are refused with all mistakes at once", () => {
    const wrong = { brokers: "nowhere", compression: "rar", batchBytes: 0, topics: "x" };
    expect(() => toKafka(wrong as unknown as ToKafkaOptions)).toThrow(ConfigurationError);
    expect(() => toKafka(wrong as unknown as ToKafkaOptions)).toThrow(
      /brokers[^]*compression[^]*batchBytes|4 mistakes/,
    );
  });

  it("want TLS to other machines, or to be told otherwise", () => {
    expect(() => toKafka({ brokers: "kafka.example.com:9092", tls: false })).toThrow(/insecure/);
  });
});

describeWith("kafka", "toKafka", () => {
  const { brokers, admin } = sharedKafka();

  it("writes a record for each message, with key, headers, partition and timestamp", async () => {
    const topic = uniqueName("sink");
    await admin.createTopic(topic, { partitions: 3 });
    const sink = open({ brokers, topic });
    const pipeline = definePipeline({
      name: "sink",
      producer: fromIterable(["21", "bytes", "gone"]),
      processor: { handle: (message) => message.to("out") },
      batchers: {
        out: {
          timeout: 10,
          handle: (messages) =>
            sink.send(messages, ({ data }) =>
              data === "gone"
                ? { key: "gone", value: null, partition: 2 }
                : {
                    key: data,
                    value: Buffer.from(`value of ${data}`),
                    headers: [
                      ["h", "1"],
                      ["h", "2"],
                    ],
                    timestamp: 1_700_000_000_000,
                  },
            ),
        },
      },
    });
    await (
      await pipeline.start()
    ).done;

    const records = await readTopic(brokers, topic, count(3));
    expect(records.find(({ key }) => key === "21")).toEqual({
      partition: (-973932308 & 0x7fffffff) % 3,
      offset: expect.any(BigInt),
      timestamp: 1_700_000_000_000n,
      key: "21",
      value: "value of 21",
      headers: [
        ["h", "1"],
        ["h", "2"],
      ],
    });
    expect(records.find(({ key }) => key === "gone")).toMatchObject({ partition: 2, value: null });
  });

  it.each(["gzip", "snappy", "lz4", "zstd"] as const)("compresses with %s", async (compression) => {
    const topic = uniqueName("sink");
    await admin.createTopic(topic);
    const { report } = await run(open({ brokers, topic, compression }), ["a", "b", "c"]);
    expect(report.succeeded).toBe(3);
    const records = await readTopic(brokers, topic, count(3));
    expect(records.map(({ value }) => value)).toEqual(["a", "b", "c"]);
  });

  it("fails only the message whose record is too large, for good", async () => {
    const topic = uniqueName("sink");
    await admin.createTopic(topic, { configs: { "max.message.bytes": "2000" } });
    const payloads = ["a", "b", `c${"x".repeat(5_000)}`, "d", "e"];
    const { report, failures } = await run(open({ brokers, topic }), payloads, { attempts: 5 });
    expect(report).toMatchObject({ succeeded: 4, failed: 1 });
    expect(failures).toMatchObject([
      { payload: payloads[2], error: { code: "KAFKA_REFUSED", brokerError: "MESSAGE_TOO_LARGE" } },
    ]);
    const records = await readTopic(brokers, topic, count(4));
    expect(records.map(({ value }) => value)).toEqual(["a", "b", "d", "e"]);
  });

  it("cuts a batch that is larger than the broker takes, whatever it was told", async () => {
    const topic = uniqueName("sink");
    await admin.createTopic(topic, { configs: { "max.message.bytes": "20000" } });
    const payloads = Array.from({ length: 50 }, (_, index) => `${index}`.padEnd(1_500, "."));
    const { report } = await run(open({ brokers, topic }), payloads);
    expect(report.succeeded).toBe(50);
    const records = await readTopic(brokers, topic, count(50));
    expect(records.map(({ value }) => value)).toEqual(payloads);
  });

  it("fails messages of a topic that is missing, and says what to do", async () => {
    const { failures } = await run(open({ brokers, topic: uniqueName("missing") }), ["a"]);
    expect(failures).toMatchObject([{ error: { code: "KAFKA_NOT_WRITTEN" } }]);
    expect(failures[0]?.error.message).toMatch(/finding topic "missing-.*create it/);
  });

  it("fails a message whose record cannot be made, and writes the others", async () => {
    const topic = uniqueName("sink");
    await admin.createTopic(topic);
    const sink = open({ brokers, topic });
    const pipeline = definePipeline({
      name: "sink",
      producer: fromIterable(["a", "b"]),
      processor: { handle: (message) => message.to("out") },
      batchers: {
        out: {
          timeout: 10,
          handle: (messages) =>
            sink.send(messages, ({ data }) => {
              if (data === "a") throw new Error("no record of this");
              return { value: data };
            }),
        },
      },
    });
    const report = await (await pipeline.start()).done;
    expect(report).toMatchObject({ succeeded: 1, failed: 1 });
    expect((await readTopic(brokers, topic, count(1)))[0]?.value).toBe("b");
  });

  it("says that nobody answered where there is no broker, when there is no more time", async () => {
    const sink = open({ brokers: "127.0.0.1:1", topic: "events", deliveryTimeout: 500 });
    const { failures } = await run(sink, ["a"]);
    expect(failures).toMatchObject([{ error: { code: "KAFKA_NOT_WRITTEN", retriable: true } }]);
  });
});

describeWith("kafka", "toKafka, when a broker fails,", () => {
  it("writes each record once, in order, while the broker is killed and comes back", async () => {
    await using kafka = await startKafka();
    await kafka.admin.createTopic("events");
    const payloads = Array.from({ length: 2_000 }, (_, index) => `${index}`);
    const sink = open({ brokers: kafka.brokers, topic: "events", deliveryTimeout: 100_000 });
    const running = run(sink, payloads, { size: 10 });
    await readTopic(kafka.brokers, "events", count(50));
    await kafka.node(1).kill();
    await kafka.node(1).start();
    const { report } = await running;
    expect(report.succeeded).toBe(payloads.length);
    const records = await readTopic(kafka.brokers, "events", count(payloads.length));
    expect(records.map(({ value }) => value)).toEqual(payloads);
  });

  it("writes again what it has not been told of, and loses nothing", async () => {
    await using kafka = await startKafka({ proxied: true });
    await kafka.admin.createTopic("events");
    const sink = open({ brokers: kafka.brokers, topic: "events", deliveryTimeout: 2_000 });
    expect((await run(sink, ["first"])).report.succeeded).toBe(1);
    kafka.proxy(1).set({ stall: true });
    const errors: string[] = [];
    const { report } = await run(sink, ["a", "b"], {
      attempts: Infinity,
      onError({ code }) {
        errors.push(code);
        kafka.proxy(1).set({ stall: false });
      },
    });
    expect(report.succeeded).toBe(2);
    expect(errors[0]).toBe("KAFKA_OUTCOME_UNKNOWN");
    const records = await readTopic(kafka.brokers, "events", (seen) =>
      ["a", "b"].every((value) => seen.some((record) => record.value === value)),
    );
    expect(records[0]?.value).toBe("first");
  });
});
