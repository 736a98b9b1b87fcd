import { describe, expect, it } from "vitest";
import type { AcknowledgeResult, Awaitable, Message, Settled } from "westend";
import { never } from "../support/deferred.ts";
import { startScene } from "../support/scene.ts";
import { recordTelemetry } from "../support/telemetry-recorder.ts";
import { numbers, type TestMetadata, TestSource } from "../support/test-source.ts";
import { startTopology } from "../support/topology-run.ts";

type Answer = (
  usual: () => void,
  settled: Settled<TestMetadata>,
) => Awaitable<AcknowledgeResult<TestMetadata>>;

const source = (payloads: readonly number[], acknowledge: Answer, name = "test"): TestSource =>
  new TestSource(payloads, { name, acknowledge }, true);

/** Fails so many calls in this way, then goes on as usual. */
function failing(calls: number, way: "throws" | "rejects" | "refuses"): Answer {
  let left = calls;
  return (usual, { succeeded, failed }) => {
    if (left-- <= 0) return usual();
    if (way === "refuses") return { refused: [...succeeded, ...failed], reason: "busy" };
    if (way === "rejects") return Promise.reject(new Error("busy"));
    throw new Error("busy");
  };
}

const WAYS = ["throws", "rejects", "refuses"] as const;

describe("Acknowledgement", () => {
  it("takes few calls for a thousand messages that are handled synchronously", async () => {
    const groups: number[] = [];
    const producer = source(numbers(1, 1000), (usual, { succeeded }) => {
      groups.push(succeeded.length);
      usual();
    });
    const run = await startTopology({ producer: producer as never, processor: { handle() {} } });
    await run.end();
    expect(producer.acknowledged).toEqual(numbers(1, 1000));
    expect(groups.length).toBeLessThanOrEqual(40);
  });

  it("takes few calls for a thousand messages in batches", async () => {
    let calls = 0;
    const producer = source(numbers(1, 1000), (usual) => {
      calls++;
      usual();
    });
    const run = await startTopology({
      producer: producer as never,
      processor: { handle: (message) => message.to("b") },
      batchers: { b: { size: 100, async handle() {} } },
    });
    await run.end();
    expect(producer.acknowledged.length).toBe(1000);
    expect(calls).toBeLessThanOrEqual(40);
  });

  it("tells successes and failures apart, each message exactly once", async () => {
    const producer = source(numbers(1, 300), (usual) => usual());
    const run = await startTopology({
      producer: producer as never,
      processor: {
        async handle(message) {
          if ((message.data as number) % 3 === 0) throw new Error("no");
        },
      },
    });
    await run.end();
    const failed = producer.acknowledgements.filter(({ outcome }) => outcome === "failed");
    expect(failed.length).toBe(100);
    expect([...producer.acknowledged].sort((a, b) => a - b)).toEqual(numbers(1, 300));
  });

  it.each(WAYS)("is tried again with back-off when the session %s, and then done", async (way) => {
    const producer = source([1, 2], failing(2, way));
    const run = await startTopology({ producer: producer as never, processor: { handle() {} } });
    expect(await run.end()).toMatchObject({ succeeded: 2 });
    expect(producer.acknowledged).toEqual([1, 2]);
    expect(run.clock.now()).toBe(300);
  });

  it.each(WAYS)("is shown as missing while the session %s, and no longer", async (way) => {
    const producer = source([1, 2], failing(2, way));
    const run = await startTopology({ producer: producer as never, processor: { handle() {} } });
    const missing = () => run.topology.stats().producers["test"]?.unacknowledged;
    await run.clock.advance(299);
    expect(missing()).toBe(2);
    await run.clock.advance(1);
    expect(missing()).toBe(0);
    await run.end();
  });

  it.each(WAYS)("is given up and published when the session %s every time", async (way) => {
    using telemetry = recordTelemetry("test");
    const producer = source([1, 2], failing(Infinity, way));
    const run = await startTopology({ producer: producer as never, processor: { handle() {} } });
    expect(await run.end()).toMatchObject({ succeeded: 2 });
    expect(telemetry.of("westend:acknowledge:refused")).toMatchObject([
      { source: "test", messages: 2, error: { code: "WESTEND_ERR_ACKNOWLEDGE", count: 2 } },
    ]);
    expect(producer.acknowledged).toEqual([]);
    expect(run.topology.stats()).toMatchObject({ inFlight: 0, bytes: 0 });
  });

  it("gives the budget back when it is given up, so that the pipeline goes on", async () => {
    const producer = source(numbers(1, 8), (usual, { succeeded }) => {
      if (succeeded.some(({ incoming }) => (incoming.payload as number) <= 4))
        throw new Error("no");
      usual();
    });
    const run = await startTopology({
      producer: producer as never,
      maxInFlight: 4,
      processor: { handle() {} },
    });
    await run.clock.advance(1000);
    expect(producer.acknowledged).toEqual([]);
    expect(run.topology.stats()).toMatchObject({ received: 4, inFlight: 4 });
    await run.end();
    expect(producer.acknowledged).toEqual([5, 6, 7, 8]);
    expect(run.topology.stats().producers["test"]).toMatchObject({ refused: 4 });
  });

  it.each(WAYS)("of one source goes on while another %s", async (way) => {
    const good = source(numbers(1, 50), (usual) => usual(), "good");
    const bad = source(numbers(1, 50), failing(Infinity, way), "bad");
    const run = await startTopology({
      producers: { good, bad },
      processor: { handle() {} },
    } as never);
    await run.clock.settle();
    expect(good.acknowledged).toEqual(numbers(1, 50));
    expect(await run.end()).toMatchObject({ succeeded: 100 });
  });

  it("that hangs blocks neither later groups nor other sources, and counts until it ends", async () => {
    let calls = 0;
    const acknowledge: Answer = (usual) => (++calls === 1 ? never : usual());
    const hanging = new TestSource([1], { name: "hanging", acknowledge });
    const good = source(numbers(1, 100), (usual) => usual(), "good");
    const run = await startTopology({
      producers: { hanging, good },
      maxInFlight: 40,
      processor: { handle() {} },
    } as never);
    await run.clock.settle();
    hanging.push(...numbers(2, 100));
    await run.clock.advance(60_000);
    expect(good.acknowledged.length).toBe(100);
    expect(hanging.acknowledged).toEqual(numbers(2, 100));
    const { producers, inFlight } = run.topology.stats();
    expect(producers["hanging"]).toMatchObject({ inFlight: 1, unacknowledged: 1 });
    expect(inFlight).toBe(1);
  });
});

describe("message.ackNow", () => {
  it("tells the source before the end, once, whatever comes later", async () => {
    const producer = new TestSource([1], {}, true);
    const seen: number[][] = [];
    const { running } = await startScene(
      {
        processor: {
          async handle(message: Message<number>) {
            await message.ackNow();
            seen.push([...producer.acknowledged]);
            throw new Error("too late");
          },
        },
      },
      producer,
    );
    expect(await running.done).toMatchObject({ failed: 1 });
    expect(seen).toEqual([[1]]);
    expect(producer.acknowledgements).toMatchObject([{ payload: 1, outcome: "succeeded" }]);
  });

  it("works for messages of a batch", async () => {
    const producer = new TestSource([1, 2], {}, true);
    const { running } = await startScene(
      {
        processor: { handle: (message: Message<number>) => message.to("b") },
        batchers: {
          b: { handle: (messages: readonly Message<number>[]) => messages[1]?.ackNow() },
        },
      },
      producer,
    );
    await running.done;
    expect(producer.acknowledged).toEqual([2, 1]);
  });

  it("rejects when the source refuses, and the source is told at the end after all", async () => {
    let calls = 0;
    const producer = source([1], (usual) => {
      if (++calls === 1) throw new Error("busy");
      usual();
    });
    const errors: unknown[] = [];
    const { running } = await startScene(
      {
        processor: {
          handle: (message: Message<number>) =>
            message.ackNow().catch((error: unknown) => void errors.push(error)),
        },
      },
      producer,
    );
    await running.done;
    expect(errors).toMatchObject([{ code: "WESTEND_ERR_ACKNOWLEDGE" }]);
    expect(producer.acknowledged).toEqual([1]);
  });
});
