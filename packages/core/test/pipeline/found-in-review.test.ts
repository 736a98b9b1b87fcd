import { channel } from "node:diagnostics_channel";

import { constant, definePipeline, memory, retry } from "westend";
import { describe, expect, it } from "vitest";

import { virtualClock } from "../../src/testing/virtual-clock.ts";

describe("a batch whose policy is to stop the pipeline", () => {
  it("is not overtaken by what is ordered behind it", async () => {
    const clock = virtualClock();
    const handled: number[] = [];
    const source = memory([1, 2, 3, 4, 5]);
    source.end();
    const pipeline = definePipeline({
      name: "test",
      producer: source,
      processor: { concurrency: 1, handle: (message) => message.to("sink") },
      batchers: {
        sink: {
          size: 1,
          partitionBy: () => "one",
          retry: retry({ attempts: 1, backoff: constant(0), whenExhausted: "stop" }),
          handle(messages) {
            for (const { data } of messages) handled.push(data);
            if (messages[0]?.data === 2) throw new Error("stop here");
          },
        },
      },
    });
    const running = await pipeline.start({ clock });
    await expect(running.done).rejects.toThrow("stop here");
    expect(handled).toEqual([1, 2]);
    expect(source.waiting).toBe(4);
  });
});

describe("a batch that is halved", () => {
  it("is said to be halved, and only the culprit to be dead-lettered", async () => {
    const actions: string[] = [];
    const listen = (event: unknown): void => {
      actions.push((event as { action: string }).action);
    };
    channel("westend:message:failed").subscribe(listen);
    const source = memory([1, 2, 3, 4]);
    source.end();
    const pipeline = definePipeline({
      name: "test",
      producer: source,
      processor: { handle: (message) => message.to("sink") },
      batchers: {
        sink: {
          size: 4,
          bisect: true,
          handle(messages) {
            if (messages.some(({ data }) => data === 3)) throw new Error("three");
          },
        },
      },
      deadLetter: { name: "letters", write() {} },
    });
    const running = await pipeline.start({ clock: virtualClock() });
    await running.done;
    channel("westend:message:failed").unsubscribe(listen);
    expect(actions.filter((action) => action === "deadLetter")).toHaveLength(1);
    expect(actions.filter((action) => action !== "deadLetter")).toEqual(
      Array.from({ length: 6 }, () => "bisect"),
    );
  });
});

describe("splitBy", () => {
  it("may change the batcher's own limits while it is asked", async () => {
    const clock = virtualClock();
    const source = memory<number>();
    const sizes: number[] = [];
    const pipeline = definePipeline({
      name: "test",
      producer: source,
      processor: { handle: (message) => message.to("sink") },
      batchers: {
        sink: {
          size: 10,
          splitBy: () => () => {
            running.update({ batchers: { sink: { size: 1 } } });
            return false;
          },
          handle: (messages) => void sizes.push(messages.length),
        },
      },
    });
    const running = await pipeline.start({ clock });
    source.push(1, 2, 3);
    source.end();
    const report = await running.done;
    expect(report.succeeded).toBe(3);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(3);
  });
});
