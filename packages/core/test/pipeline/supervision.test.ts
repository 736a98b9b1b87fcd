import { constant, exponential } from "westend";
import { describe, expect, it } from "vitest";
import { deferred, never } from "../support/deferred.ts";
import { startScene } from "../support/scene.ts";
import { sleep } from "../support/sleep.ts";
import { stopWithin, sumOf } from "../support/stopping.ts";
import { recordTelemetry } from "../support/telemetry-recorder.ts";
import { numbers, TestSource } from "../support/test-source.ts";

const spoilt = (): never => {
  throw new Error("spoilt");
};

describe("a producer that dies", () => {
  it("is opened again while the processors go on, told of its messages, and closed", async () => {
    let pulls = 0;
    const gate = deferred();
    const handled: number[] = [];
    const { clock, source, running } = await startScene(
      {
        processor: {
          concurrency: 4,
          async handle(message: any) {
            await gate.promise;
            handled.push(message.data);
          },
        },
        maxInFlight: 8,
      },
      new TestSource(numbers(1, 6), { pull: (usual) => (++pulls === 2 ? spoilt() : usual()) }),
    );
    source.wake();
    await clock.advance(100);
    expect(source.calls.filter((call) => call.startsWith("open"))).toEqual(["open 0", "open 1"]);
    expect(source.calls).not.toContain("close 0");
    expect(running.stats().processor.running).toBe(4);
    gate.resolve();
    await clock.settle();
    expect(handled).toEqual(numbers(1, 6));
    expect(source.acknowledgements.map(({ session }) => session)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(source.calls).toContain("close 0");
    expect(source.calls).not.toContain("close 1");
    source.push(7);
    await clock.settle();
    expect(source.acknowledgements.at(-1)).toMatchObject({ payload: 7, session: 1 });
    expect(running.stats().producers["test"]).toMatchObject({ restarts: 1, open: 1 });
    await stopWithin(clock, running, 0);
  });

  it("waits longer after each crash, and is restarted once per wait", async () => {
    using telemetry = recordTelemetry("scene");
    let pulls = 0;
    const source = new TestSource([], { pull: (usual) => (++pulls <= 3 ? spoilt() : usual()) });
    const { clock, running } = await startScene({}, source);
    const opened = (): number => source.contexts.length;
    expect(opened()).toBe(1);
    await clock.advance(99);
    expect(opened()).toBe(1);
    await clock.advance(1);
    expect(opened()).toBe(2);
    await clock.advance(199);
    expect(opened()).toBe(2);
    await clock.advance(1);
    expect(opened()).toBe(3);
    await clock.advance(399);
    expect(opened()).toBe(3);
    await clock.advance(1);
    expect(opened()).toBe(4);
    await clock.advance(60_000);
    expect(opened()).toBe(4);
    expect(telemetry.of("westend:stage:restarting")).toEqual(
      [100, 200, 400].map((delay) => ({
        pipeline: "scene",
        stage: "test",
        delay,
        error: expect.objectContaining({ code: "WESTEND_ERR_PRODUCER" }),
      })),
    );
    await stopWithin(clock, running, 0);
  });

  it("may die again and again, if not too often in a while", async () => {
    let last = 0;
    const { clock, running } = await startScene(
      { restart: { max: 1, within: 1000, backoff: constant(10) } },
      new TestSource([], {
        idle: 100,
        pull: () => {
          if (clock0() - last < 1500) return [];
          last = clock0();
          return spoilt();
        },
      }),
    );
    function clock0(): number {
      return clock?.now() ?? 0;
    }
    await clock.advance(60_000);
    expect(running.status).toBe("running");
    expect(running.stats().producers["test"]?.restarts).toBeGreaterThan(30);
    await stopWithin(clock, running, 0);
  });

  it("ends the pipeline once its budget is spent: nothing is acknowledged that had not ended", async () => {
    using telemetry = recordTelemetry("scene");
    let pulls = 0;
    const { clock, source, running } = await startScene(
      {
        processor: {
          concurrency: 2,
          handle: (message: any) => (message.data > 2 ? never : undefined),
        },
      },
      new TestSource(numbers(1, 6), {
        idle: 10,
        pull: (usual) => (++pulls === 1 ? usual() : spoilt()),
      }),
    );
    const died = running.done.catch((error: unknown) => error);
    await clock.advance(60_000);
    expect(await died).toMatchObject({
      code: "WESTEND_ERR_PRODUCER",
      message: 'The producer "test" failed: spoilt',
      cause: { message: "spoilt" },
    });
    expect(running.status).toBe("failed");
    expect(source.acknowledged).toEqual([1, 2]);
    expect(source.waiting).toEqual([3, 4, 5, 6]);
    const [failed] = telemetry.of("westend:pipeline:failed");
    expect(failed).toEqual({ pipeline: "scene", error: await died, report: expect.anything() });
    expect(sumOf(failed!.report)).toBe(6);
    expect(clock.timers).toBe(0);
  });

  it("is restarted at most once in a back-off, however it dies", async () => {
    const opened: number[] = [];
    const { clock, running } = await startScene(
      { restart: { backoff: exponential({ initial: 1000, max: 1000, jitter: "none" }), max: 2 } },
      new TestSource([], {
        open: (_, context) => void opened.push(context.clock.now()),
        pull: spoilt,
      }),
    );
    const died = running.done.catch(() => {});
    await clock.advance(60_000);
    await died;
    const waits = opened.slice(1).map((at, index) => at - (opened[index] as number));
    expect(waits.length).toBeGreaterThanOrEqual(2);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1000);
  });

  it("does not take its other sessions with it, each has a budget of its own", async () => {
    const crashes = [0, 0, 0, 0];
    const source = new TestSource([], {
      idle: 10,
      pull: (usual, _, __, session) => {
        const index = source.contexts[session]?.index as number;
        if ((crashes[index] as number) < 2) {
          crashes[index] = (crashes[index] as number) + 1;
          return spoilt();
        }
        return usual();
      },
    });
    const { clock, running } = await startScene(
      { producer: { producer: source, concurrency: 4 }, maxInFlight: 40 },
      source,
    );
    await clock.advance(10_000);
    expect(running.status).toBe("running");
    expect(crashes).toEqual([2, 2, 2, 2]);
    expect(running.stats().producers["test"]).toMatchObject({ open: 4, restarts: 8 });
    source.push(...numbers(1, 20));
    await clock.settle();
    expect(source.acknowledged).toHaveLength(20);
    await stopWithin(clock, running, 0);
  });

  it("is not opened again while the pipeline drains", async () => {
    let pulls = 0;
    const source = new TestSource([], {
      pull: (usual) => (++pulls > 2 ? spoilt() : usual()),
    });
    const { clock, running } = await startScene(
      { processor: { handle: () => sleep(clock, 1000) } },
      source,
    );
    source.push(1, 2);
    await clock.settle();
    expect(source.contexts).toHaveLength(1);
    source.wake();
    await clock.advance(20);
    const stopped = running.stop({ timeout: 5000 });
    await clock.advance(5000);
    expect(await stopped).toMatchObject({ received: 2, succeeded: 2 });
    expect(source.contexts).toHaveLength(1);
    expect(source.acknowledged).toEqual([1, 2]);
  });
});
