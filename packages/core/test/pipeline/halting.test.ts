import { constant, retry } from "westend";
import { describe, expect, it } from "vitest";
import { type Deferred, deferred } from "../support/deferred.ts";
import { type SceneOptions, startScene } from "../support/scene.ts";
import { TestSource } from "../support/test-source.ts";

interface MessageLike {
  readonly data: unknown;
  to(batcher: string): unknown;
}

const stopping = retry({ attempts: 1, backoff: constant(0), whenExhausted: "stop" });
const partitionBy = (): string => "one";

/** A batcher whose failure stops the pipeline, once the gate is open. */
const failing = (gate: Deferred<void>) => ({
  size: 1,
  retry: stopping,
  async handle() {
    await gate.promise;
    throw new Error("fatal");
  },
});

/** Starts it over the payloads, lets the calls that wait go on one after the other, and waits until it is over. */
async function play(payloads: readonly number[], options: SceneOptions, gates: Deferred<void>[]) {
  const source = new TestSource(payloads);
  const { clock, running } = await startScene(options, source);
  running.done.catch(() => {});
  for (const gate of gates) {
    gate.resolve();
    await clock.settle();
  }
  await clock.advance(60_000);
  expect(running.status).toBe("failed");
  return source;
}

describe("a message that stops the pipeline", () => {
  it("is not overtaken by what was in a handler with it, and would be tried again", async () => {
    const calls: unknown[][] = [];
    const [fatal, other] = [deferred(), deferred()];
    const source = await play(
      [1, 2],
      {
        processor: {
          concurrency: 1,
          handle: (message: MessageLike) =>
            message.data === 1 ? [message.to("fatal"), message.to("other")] : message.to("other"),
        },
        batchers: {
          fatal: failing(fatal),
          other: {
            size: 2,
            partitionBy,
            retry: retry({ attempts: 3, backoff: constant(10) }),
            async handle(messages: readonly MessageLike[]) {
              calls.push(messages.map(({ data }) => data));
              await other.promise;
              throw new Error("once more");
            },
          },
        },
      } as SceneOptions,
      [fatal, other],
    );
    expect(calls).toEqual([[1, 2]]);
    expect(source.acknowledged).toEqual([]);
  });

  it("takes back what waits behind it, and that is not overtaken in another batcher either", async () => {
    const given: unknown[] = [];
    const [fatal, first] = [deferred(), deferred()];
    const ways: readonly (readonly string[])[] = [["c"], ["a"], ["a", "c"], ["c"]];
    const source = await play(
      [0, 1, 2, 3],
      {
        processor: {
          concurrency: 1,
          handle: (message: MessageLike) =>
            ways[message.data as number]?.map((batcher) => message.to(batcher)),
        },
        batchers: {
          a: { ...failing(fatal), partitionBy },
          c: {
            size: 1,
            partitionBy,
            async handle([message]: readonly MessageLike[]) {
              given.push(message?.data);
              if (message?.data === 0) await first.promise;
            },
          },
        },
      } as SceneOptions,
      [fatal, first],
    );
    expect(given).toEqual([0]);
    expect(source.acknowledged).toEqual([0]);
  });

  it("is not overtaken where an option of its batcher failed it", async () => {
    const given: unknown[] = [];
    const rest = deferred();
    const source = await play(
      [1, 2, 3],
      {
        processor: {
          concurrency: 3,
          async handle(message: MessageLike) {
            if (message.data !== 1) await rest.promise;
            return message.to("sink");
          },
        },
        batchers: {
          sink: {
            size: 5,
            partitionBy,
            retry: stopping,
            weight({ data }: MessageLike) {
              if (data === 1) throw new Error("weightless");
              return 1;
            },
            handle: (messages: readonly MessageLike[]) =>
              void given.push(...messages.map(({ data }) => data)),
          },
        },
      } as SceneOptions,
      [rest],
    );
    expect(given).toEqual([]);
    expect(source.acknowledged).toEqual([]);
  });
});
