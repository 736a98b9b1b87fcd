import { setTimeout as sleep } from "node:timers/promises";
import { describeWith, uniqueName } from "test-servers/vitest";
import { definePipeline } from "westend";
import { expect, it, onTestFinished } from "vitest";
import { kafka } from "@westend/kafka";
import { readCommitted } from "./support/committed.ts";
import { numbered, topicWith } from "./support/events.ts";
import { soon, startMember } from "./support/member.ts";
import { until } from "./support/until.ts";

describeWith("kafka", "two processes with one groupInstanceId", () => {
  it("do not both go on: the older one ends and says why, the other one handles what is left", async () => {
    const topic = await topicWith(numbered(200));
    const options = { ...topic, groupInstanceId: "one", handle: () => sleep(20) };
    const older = await startMember(options);
    const ended = older.running.done.catch((error: unknown) => error);
    await until("it works", () => older.handled.length > 5);
    const newer = await startMember(options);
    const error = (await ended) as Error;
    expect(JSON.stringify(causesOf(error))).toContain("KAFKA_INSTANCE_FENCED");
    await until("the newer one has come to the end", () =>
      newer.source.partitions().some(({ committed }) => committed === 200n),
    );
    expect(newer.running.status).toBe("running");
    expect(new Set([...older.handled, ...newer.handled]).size).toBe(200);
  });
});

describeWith("kafka", "two processes with one transactionalId", () => {
  it("do not both go on: the older one ends and says why, the other one writes what is left, each once", async () => {
    const events = Array.from({ length: 400 }, (_, id) => ({ value: `${id}`, partition: id % 4 }));
    const topic = await topicWith(events, { partitions: 4 });
    const to = await topicWith([]);
    const transactionalId = uniqueName("one");
    const start = () => startCopying({ ...topic, to: to.topic, transactionalId });
    const older = await start();
    const ended = older.done.catch((error: unknown) => error);
    await until("it works", () => older.stats().succeeded > 5);
    const newer = await start();
    const error = (await ended) as Error;
    expect(JSON.stringify(causesOf(error))).toContain("KAFKA_TRANSACTION");
    const written = await readCommitted(topic.brokers, to.topic, events.length);
    expect(newer.status).toBe("running");
    expect(written.map(Number).toSorted((a, b) => a - b)).toEqual([...events.keys()]);
  });
});

interface Copying {
  readonly brokers: string[];
  readonly groupId: string;
  readonly topic: string;
  readonly to: string;
  readonly transactionalId: string;
}

async function startCopying({ topic, to, ...options }: Copying) {
  const source = kafka({ ...soon, ...options, topics: topic });
  const running = await definePipeline({
    name: "copying",
    producer: source,
    processor: {
      concurrency: 2,
      async handle(message, signal) {
        await sleep(20);
        const record = { topic: to, value: message.data };
        await source.sendInTransaction([message], () => record, signal);
      },
    },
  }).start();
  onTestFinished(async () => void (await running.stop({ timeout: 5000 })));
  return running;
}

const causesOf = (error: unknown): unknown[] =>
  error instanceof Error ? [(error as { code?: unknown }).code, ...causesOf(error.cause)] : [];
