import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { definePipeline, text } from "westend";
import { expect, it, onTestFinished } from "vitest";
import { describeWith, sharedKafka, uniqueName } from "test-servers/vitest";
import { kafka } from "@westend/kafka";
import { openWriter } from "../src/open-writer.ts";
import { encodeRecord } from "../src/record.ts";
import { readCommitted } from "./support/committed.ts";

describeWith("kafka", "a source with transactions", () => {
  const { brokers, admin } = sharedKafka();

  /** The sum of what the group has committed. */
  async function progressOf(group: string): Promise<number> {
    const committed = await admin.committed(group);
    return committed.reduce((sum, { offset }) => sum + Number(offset), 0);
  }

  async function fill(topic: string, values: readonly string[]): Promise<void> {
    const writer = openWriter({ brokers });
    await writer.write(values.map((value) => encodeRecord({ key: value, value }, topic)));
    await writer.close();
  }

  it("writes what its messages give rise to once, with their commit, in any order they end", async () => {
    const [from, to, groupId] = ["from", "to", "group"].map(uniqueName) as [string, string, string];
    await admin.createTopic(from, { partitions: 3 });
    await admin.createTopic(to, { partitions: 2 });
    const values = Array.from({ length: 300 }, (_, index) => `${index}`);
    await fill(from, values);

    const source = kafka({
      brokers,
      groupId,
      topics: from,
      finite: true,
      transactionalId: uniqueName("copy"),
    });
    const pipeline = definePipeline({
      name: "copy",
      producer: source,
      decoder: text(),
      processor: {
        concurrency: 50,
        async handle(message) {
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
          return message.to("out");
        },
      },
      batchers: {
        out: {
          size: 7,
          timeout: 5,
          concurrency: 3,
          handle: (messages, _batch, signal) =>
            source.sendInTransaction(
              messages,
              ({ data, metadata }) => ({ topic: to, key: metadata.key, value: `${data}!` }),
              signal,
            ),
        },
      },
    });
    const report = await (await pipeline.start()).done;
    expect(report).toMatchObject({ succeeded: 300, failed: 0 });
    const written = await readCommitted(brokers, to, values.length);
    expect(sorted(written)).toEqual(sorted(values.map((value) => `${value}!`)));
    await expect.poll(() => progressOf(groupId), { timeout: 60_000 }).toBe(values.length);
  });

  it("writes each once, none twice and none lost, though it is killed between writing and committing", async () => {
    const [from, to, group] = ["from", "to", "group"].map(uniqueName) as [string, string, string];
    await admin.createTopic(from, { partitions: 3 });
    await admin.createTopic(to, { partitions: 2 });
    const values = Array.from({ length: 400 }, (_, index) => `${index}`);
    await fill(from, values);
    const env = { BROKERS: brokers.join(), FROM: from, TO: to, GROUP: group };
    for (const kill of ["before 1", "after 2", "before 3", "after 1", "before 2"]) {
      expect(await copy({ ...env, KILL: kill })).toBe("SIGKILL");
    }
    expect(await copy(env)).toBe(0);
    const written = await readCommitted(brokers, to, values.length);
    expect(sorted(written)).toEqual(sorted(values));
    await expect.poll(() => progressOf(group), { timeout: 60_000 }).toBe(values.length);
  });
});

/** Copies in a process of its own; resolves with its exit code, or what killed it. */
async function copy(env: Record<string, string>): Promise<number | string | null> {
  const script = join(import.meta.dirname, "fixtures/copy.ts");
  const args = ["--conditions=@westend/source", script];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: "inherit",
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  return signal ?? code;
}

const sorted = (values: readonly unknown[]): unknown[] => values.map(String).toSorted();
