import { PassThrough, Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import { definePipeline, fromReadable } from "westend";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { never } from "../support/deferred.ts";
import { stopWithin } from "../support/stopping.ts";
import { numbers } from "../support/test-source.ts";

function define(
  stream: Readable | ReadableStream<unknown>,
  handled: unknown[],
  handle: () => unknown = () => undefined,
) {
  return definePipeline<any, void, unknown>({
    name: "readable",
    producer: fromReadable<unknown>(stream),
    maxInFlight: 4,
    processor: {
      handle(message): any {
        handled.push(message.data);
        return handle();
      },
    },
  });
}

const webStream = (): ReadableStream<number> =>
  new ReadableStream({
    start(controller) {
      for (const number of numbers(1, 5)) controller.enqueue(number);
      controller.close();
    },
  });

describe("fromReadable", () => {
  it.each([
    ["a Node stream", () => Readable.from(numbers(1, 5))],
    ["a web stream", webStream],
  ])("reads %s to its end, and the pipeline ends with it", async (_, stream) => {
    const handled: unknown[] = [];
    const running = await define(stream(), handled).start({ clock: virtualClock() });
    expect(await running.done).toMatchObject({ received: 5, succeeded: 5 });
    expect(handled).toEqual(numbers(1, 5));
  });

  it("reads bytes as they come", async () => {
    const handled: unknown[] = [];
    const stream = new PassThrough();
    const running = await define(stream, handled).start({ clock: virtualClock() });
    stream.write("ab");
    await new Promise((resolve) => setImmediate(resolve));
    stream.end("c");
    await running.done;
    expect(handled.map(String).join("")).toBe("abc");
  });

  it.each([
    [
      "a Node stream",
      () =>
        Readable.from(
          (function* () {
            yield* numbers(1, 3);
            throw new Error("torn");
          })(),
        ),
    ],
    [
      "a web stream",
      () => {
        let pulls = 0;
        return new ReadableStream<number>(
          {
            pull(controller) {
              if (++pulls > 3) controller.error(new Error("torn"));
              else controller.enqueue(pulls);
            },
          },
          { highWaterMark: 0 },
        );
      },
    ],
  ])("fails the pipeline with the error of %s", async (_, stream) => {
    const handled: unknown[] = [];
    const clock = virtualClock();
    const running = await define(stream(), handled).start({ clock });
    const died = running.done.catch((error: unknown) => error);
    await clock.advance(60_000);
    expect(await died).toMatchObject({ code: "WESTEND_ERR_PRODUCER", cause: { message: "torn" } });
    expect(running.stats()).toMatchObject({ received: handled.length, succeeded: handled.length });
  });

  it("leaves in the stream what the pipeline has no room for", async () => {
    let made = 0;
    const stream = new Readable({
      objectMode: true,
      highWaterMark: 1,
      read() {
        this.push(++made);
      },
    });
    const clock = virtualClock();
    const running = await define(stream, [], () => never).start({ clock });
    await clock.advance(10_000);
    expect(made).toBeLessThanOrEqual(4 + 2);
    await stopWithin(clock, running, 0);
  });

  it("destroys a Node stream when the pipeline stops, even one from which nothing comes", async () => {
    const stream = new PassThrough({ objectMode: true });
    const clock = virtualClock();
    const running = await define(stream, []).start({ clock });
    await clock.settle();
    const { took } = await stopWithin(clock, running, 1000);
    await clock.settle();
    expect(took).toBeLessThan(100);
    expect(stream.destroyed).toBe(true);
  });

  it("cancels a web stream when the pipeline stops, even one from which nothing comes", async () => {
    let cancelled = false;
    const stream = new ReadableStream({ cancel: () => void (cancelled = true) });
    const clock = virtualClock();
    const running = await define(stream, []).start({ clock });
    await clock.settle();
    const { took } = await stopWithin(clock, running, 1000);
    await clock.settle();
    expect(took).toBeLessThan(100);
    expect(cancelled).toBe(true);
  });

  it("refuses to be read by a second run", async () => {
    const pipeline = define(Readable.from([1]), []);
    const clock = virtualClock();
    await (
      await pipeline.start({ clock })
    ).done;
    const failed = pipeline.start({ clock }).catch((error: unknown) => error);
    await clock.advance(60_000);
    const error = (await failed) as Error;
    expect(error).toMatchObject({ code: "WESTEND_ERR_PRODUCER" });
    expect(error.message).toContain("A stream can be read once");
  });
});
