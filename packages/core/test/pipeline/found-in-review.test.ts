import { channel } from "node:diagnostics_channel";
import { inspect } from "node:util";

import { constant, definePipeline, memory, retry } from "westend";
import { describe, expect, it } from "vitest";

import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { deferred, never } from "../support/deferred.ts";
import { startScene } from "../support/scene.ts";
import { stopWithin } from "../support/stopping.ts";
import { TestSource } from "../support/test-source.ts";

/** What these tests need of a message in a batch. */
interface RoutedLike {
  fail(reason: unknown): void;
}

function failFirst([first]: readonly RoutedLike[]): void {
  first?.fail("spoilt");
}

/** No stage crashes meanwhile. */
async function expectNoCrash(play: () => Promise<void>): Promise<void> {
  const crashes: unknown[] = [];
  const listen = (event: unknown): void => void crashes.push(event);
  channel("westend:stage:restarting").subscribe(listen);
  await play();
  channel("westend:stage:restarting").unsubscribe(listen);
  expect(crashes).toEqual([]);
}

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

describe("a key that is no key", () => {
  it("fails the message that is routed with it", async () => {
    const source = memory([1]);
    source.end();
    const told: unknown[] = [];
    const pipeline = definePipeline({
      name: "test",
      producer: source,
      processor: {
        handle: (message) => message.to("sink", 1, { key: { secret: "s3cr3t" } as never }),
      },
      batchers: { sink: { handle() {} } },
      onFailed: (messages) => void told.push(...messages.map(({ reason }) => reason)),
    });
    const running = await pipeline.start({ clock: virtualClock() });
    expect(await running.done).toMatchObject({ failed: 1 });
    expect(told).toMatchObject([{ code: "WESTEND_ERR_HANDLER_RESULT" }]);
    expect(String(told[0])).toMatch(/message\.to\(…, \{ key \}\): expected a string.* an object/);
  });

  it.each([
    [
      "payloads that are no array",
      ["s3cr3t"],
      /payloads: expected an array, got a string of length 6/,
    ],
    ["such a key", [[1], { key: {} }], /options\.key: expected a string.*, got an object/],
  ])("refuses a push with %s", async (_, args, text) => {
    const pipeline = definePipeline({
      name: "test",
      producer: memory<number>(),
      processor: { handle() {} },
    });
    const running = await pipeline.start();
    const push = running.push.bind(running) as (...args: unknown[]) => Promise<unknown>;
    await expect(push(...args)).rejects.toMatchObject({
      code: "WESTEND_ERR_CONFIGURATION",
      message: expect.stringMatching(text),
    });
    await running.stop();
  });
});

describe("a batch handler", () => {
  it.each(["ends", "throws", "is tried again"])(
    "may freeze its messages, whether it %s",
    async (how) => {
      const source = memory([1, 2]);
      source.end();
      let calls = 0;
      const pipeline = definePipeline({
        name: "test",
        producer: source,
        processor: { handle: (message) => [message.to("sink"), message.to("sink")] },
        batchers: {
          sink: {
            size: 4,
            retry: retry({ attempts: how === "is tried again" ? 2 : 1, backoff: constant(0) }),
            handle(messages) {
              for (const message of messages) Object.freeze(message);
              if (how !== "ends" && ++calls === 1) throw new Error("spoilt");
            },
          },
        },
      });
      const clock = virtualClock();
      const running = await pipeline.start({ clock });
      await expectNoCrash(() => clock.advance(1000));
      expect(await running.done).toMatchObject(how === "throws" ? { failed: 2 } : { succeeded: 2 });
    },
  );

  it.each([
    ["its time is up", "is tried again", () => never],
    ["its time is up", "goes to the dead letters", () => never],
    ["it has failed", "is tried again", () => Promise.reject(new Error("spoilt"))],
    ["it has failed", "goes to the dead letters", () => Promise.reject(new Error("spoilt"))],
    ["it has failed one of them", "is tried again", failFirst],
    ["it has failed one of them", "goes to the dead letters", failFirst],
  ])("may freeze its messages after %s, before what failed %s", async (_, fate, firstCall) => {
    const letters = deferred();
    let held: readonly RoutedLike[] = [];
    const { clock, running } = await startScene(
      {
        processor: { handle: (message: any) => [message.to("sink"), message.to("sink")] },
        batchers: {
          sink: {
            size: 4,
            handleTimeout: 100,
            retry: retry({ attempts: fate === "is tried again" ? 2 : 1, backoff: constant(1000) }),
            handle(messages: readonly RoutedLike[]) {
              if (held.length > 0) return undefined;
              held = [...messages];
              return firstCall(held);
            },
          },
        },
        deadLetter: { name: "letters", write: () => letters.promise },
      },
      new TestSource([1, 2]),
    );
    await expectNoCrash(async () => {
      await clock.advance(200);
      for (const message of held) Object.freeze(message);
      letters.resolve();
      await clock.advance(10_000);
    });
    expect(running.stats()).toMatchObject({ received: 2, inFlight: 0 });
    await stopWithin(clock, running, 0);
  });

  it("is told of its batch without the keys showing where it is logged", async () => {
    const source = memory([1]);
    source.end();
    let shown = "";
    let seen: unknown;
    const pipeline = definePipeline({
      name: "test",
      producer: source,
      processor: {
        handle: (message) => message.to("sink", 1, { key: "ada@example.org" }),
      },
      batchers: {
        sink: {
          size: 1,
          partitionBy: () => "grace@example.org",
          handle(_, batch) {
            shown = inspect({ batch });
            seen = { ...batch };
          },
        },
      },
    });
    const running = await pipeline.start({ clock: virtualClock() });
    await running.done;
    expect(shown).not.toContain("example.org");
    expect(shown).toContain("batcher: 'sink'");
    expect(seen).toMatchObject({ key: "ada@example.org", partition: "grace@example.org" });
  });
});

describe("the figures of a batcher", () => {
  it("count a batch once, however often it is tried", async () => {
    const source = memory([1, 2]);
    source.end();
    let calls = 0;
    const pipeline = definePipeline({
      name: "test",
      producer: source,
      processor: { handle: (message) => message.to("sink") },
      batchers: {
        sink: {
          size: 2,
          retry: retry({ attempts: 5, backoff: constant(0) }),
          handle() {
            if (++calls < 4) throw new Error("spoilt");
          },
        },
      },
    });
    const clock = virtualClock();
    const running = await pipeline.start({ clock });
    await clock.advance(1000);
    await running.done;
    expect(running.stats().batchers["sink"]).toMatchObject({ batches: 1, messages: 2, retries: 3 });
  });
});

describe("what takes messages in", () => {
  it.each(["decoder", "partitionBy"] as const)(
    "bears that all that came with a message is taken back by what its %s does",
    async (option) => {
      const source = new TestSource();
      const handled: unknown[] = [];
      const revoking = (value: unknown): number => {
        if (value === 1) void source.contexts[0]?.revoke(() => true);
        return value as number;
      };
      const processor = {
        handle: (message: { data: unknown }) => void handled.push(message.data),
        ...(option === "partitionBy" && {
          partitionBy: (message: { data: unknown }) => revoking(message.data),
        }),
      };
      const decoder = { name: "revoking", decode: revoking };
      const { clock, running } = await startScene(
        option === "decoder" ? { processor, decoder } : { processor },
        source,
      );
      source.push(1, 2, 3);
      await clock.advance(100);
      source.push(4);
      await clock.advance(100);
      expect(handled).toEqual([4]);
      expect(source.calls.filter((call) => call.startsWith("open"))).toEqual(["open 0"]);
      await stopWithin(clock, running, 0);
    },
  );
});
