import { definePipeline, memory, retry } from "westend";
import { testPipeline } from "westend/testing";
import { describe, expect, it } from "vitest";
import { order, orders } from "../support/orders.ts";

describe("push of a pipeline under test", () => {
  it("gives the batches that its messages ended up in, by batcher", async () => {
    await using pipeline = await testPipeline(orders);
    const { batches } = await pipeline.push(order("a", 1), order("b", 20_000), order("c", 2));
    expect(batches).toEqual({
      ledger: [
        [
          { id: "a", cents: 100 },
          { id: "c", cents: 200 },
        ],
      ],
      review: [[{ id: "b", total: 20_000 }]],
    });
  });

  it("gives no batches for a batcher that got nothing", async () => {
    await using pipeline = await testPipeline(orders);
    const { batches } = await pipeline.push(order("a", 1));
    expect(batches.review).toEqual([]);
  });

  it("gives batches in the order in which they were handled", async () => {
    await using pipeline = await testPipeline(orders);
    const { batches } = await pipeline.push(order("a", 1), order("b", 1), order("c", 1));
    expect(batches.ledger.map((batch) => batch.map(({ id }) => id))).toEqual([["a", "b"], ["c"]]);
  });

  it("gives nothing of what an earlier push brought", async () => {
    await using pipeline = await testPipeline(orders);
    await pipeline.push(order("a", 1), order("b", -1));
    const { batches, failed } = await pipeline.push(order("c", 1));
    expect(batches.ledger).toEqual([[{ id: "c", cents: 100 }]]);
    expect(failed).toEqual([]);
  });

  it("gives nothing of what a later push brings", async () => {
    await using pipeline = await testPipeline(orders);
    const { batches, failed } = await pipeline.push(order("a", 1));
    await pipeline.push(order("b", 1), order("c", -1));
    expect(batches.ledger).toEqual([[{ id: "a", cents: 100 }]]);
    expect(failed).toEqual([]);
  });

  it("gives what failed, with its data and its reason", async () => {
    await using pipeline = await testPipeline(orders);
    const { failed, batches } = await pipeline.push(order("a", -1), order("b", 1));
    expect(failed).toHaveLength(1);
    expect(failed[0]?.data).toEqual({ id: "a", total: -1 });
    expect(failed[0]?.reason).toEqual(new Error("order a is negative"));
    expect(batches.ledger).toEqual([[{ id: "b", cents: 100 }]]);
  });

  it("gives what did not fit its decoder as failed", async () => {
    await using pipeline = await testPipeline(orders);
    const { failed } = await pipeline.push("{");
    expect(failed[0]?.payload).toBe("{");
    expect(failed[0]?.data).toBeUndefined();
    expect(failed[0]?.reason).toMatchObject({ code: "WESTEND_ERR_DECODE" });
  });

  it("gives an outcome for each payload, in order", async () => {
    await using pipeline = await testPipeline(orders);
    const { outcomes } = await pipeline.push(order("a", 1), order("b", -1), order("c", 1));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["succeeded", "failed", "succeeded"]);
  });

  it("gives nothing for nothing", async () => {
    await using pipeline = await testPipeline(orders);
    expect(await pipeline.push()).toEqual({
      batches: { ledger: [], review: [] },
      failed: [],
      deadLettered: [],
      outcomes: [],
    });
  });

  it("brings more messages than may be in flight", async () => {
    await using pipeline = await testPipeline(
      definePipeline({
        name: "narrow",
        producer: memory<number>(),
        maxInFlight: 2,
        processor: { concurrency: 1, handle: () => Promise.resolve() },
      }),
    );
    const { outcomes } = await pipeline.push(...Array.from({ length: 50 }, (_, index) => index));
    expect(outcomes).toHaveLength(50);
  });

  it("rejects with the error that killed the pipeline", async () => {
    await using pipeline = await testPipeline(
      definePipeline({
        name: "fragile",
        producer: memory<string>(),
        processor: {
          retry: retry({ attempts: 1, whenExhausted: "stop" }),
          handle: () => Promise.reject(new Error("the disk is full")),
        },
      }),
    );
    await expect(pipeline.push("x")).rejects.toThrow("the disk is full");
  });

  it("is refused once the pipeline has been stopped", async () => {
    await using pipeline = await testPipeline(orders);
    await pipeline.stop();
    await expect(pipeline.push(order("a", 1))).rejects.toMatchObject({
      code: "WESTEND_ERR_STOPPED",
    });
  });
});

describe("pushAll of a pipeline under test", () => {
  it("gives messages the metadata and the key it is told", async () => {
    const seen: unknown[] = [];
    await using pipeline = await testPipeline(
      definePipeline({
        name: "keyed",
        producer: memory<string>(),
        processor: { handle: ({ data, metadata, key }) => void seen.push([data, metadata, key]) },
      }),
    );
    await pipeline.pushAll(["a", "b"], { metadata: { index: 7 }, key: "k" });
    expect(seen).toEqual([
      ["a", { index: 7 }, "k"],
      ["b", { index: 7 }, "k"],
    ]);
  });
});
