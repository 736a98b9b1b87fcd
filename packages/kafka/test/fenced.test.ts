import { setTimeout as sleep } from "node:timers/promises";
import { describeWith } from "test-servers/vitest";
import { expect, it } from "vitest";
import { numbered, topicWith } from "./support/events.ts";
import { startMember } from "./support/member.ts";
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

const causesOf = (error: unknown): unknown[] =>
  error instanceof Error ? [(error as { code?: unknown }).code, ...causesOf(error.cause)] : [];
