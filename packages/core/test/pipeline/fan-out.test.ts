import { describe, expect, it } from "vitest";
import { type BatcherOptions, constant, retry } from "westend";
import { deferred } from "../support/deferred.ts";
import { given } from "../support/given-source.ts";
import { LetterBox } from "../support/letter-box.ts";
import { numbers } from "../support/test-source.ts";
import { runTopology, startTopology } from "../support/topology-run.ts";

type Batchers = Readonly<Record<string, BatcherOptions<unknown, undefined>>>;

const toBoth = {
  handle: (message: { to(batcher: string): unknown }) => [message.to("a"), message.to("b")],
};
const ends: BatcherOptions<unknown, undefined> = { handle() {} };
const throws: BatcherOptions<unknown, undefined> = {
  handle() {
    throw new Error("broken");
  },
};
const drops: BatcherOptions<unknown, undefined> = {
  handle(messages) {
    for (const message of messages) message.drop("not wanted");
  },
};

describe("A message that is sent to several batchers", () => {
  it("is acknowledged once, and only when every branch has settled", async () => {
    const gates = { a: deferred(), b: deferred() };
    const source = given([1]);
    const run = await startTopology({
      producer: source,
      processor: toBoth,
      batchers: { a: { handle: () => gates.a.promise }, b: { handle: () => gates.b.promise } },
    });
    await run.clock.settle();
    gates.b.resolve();
    await run.clock.settle();
    expect(source.told).toEqual([]);
    gates.a.resolve();
    await run.end();
    expect(source.told).toMatchObject([{ payload: 1, outcome: "succeeded" }]);
  });

  const cases: readonly [string, Batchers, string][] = [
    ["both succeed", { a: ends, b: ends }, "succeeded"],
    ["one is dropped", { a: drops, b: ends }, "succeeded"],
    ["both are dropped", { a: drops, b: drops }, "dropped"],
    ["one fails", { a: ends, b: throws }, "deadLettered"],
    ["one fails and one is dropped", { a: throws, b: drops }, "deadLettered"],
    [
      "one fails and one is handed back",
      { a: throws, b: { ...throws, retry: retry({ attempts: 1, whenExhausted: "fail" }) } },
      "failed",
    ],
  ];

  it.each(cases)("ends with the worst of its branches when %s", async (_, batchers, outcome) => {
    const source = given([1, 2]);
    const report = await runTopology({
      producer: source,
      deadLetter: new LetterBox(),
      processor: toBoth,
      batchers,
    });
    expect(source.payloads(outcome as never)).toEqual([1, 2]);
    expect(report).toMatchObject({ received: 2, [outcome]: 2 });
  });

  it("writes a dead letter for each branch that failed, with the batcher in which it did", async () => {
    const box = new LetterBox<number>();
    await runTopology({
      producer: given([7]),
      deadLetter: box,
      processor: { handle: (message) => ["a", "b", "c"].map((name) => message.to(name)) },
      batchers: { a: throws, b: ends, c: throws },
    });
    expect(box.letters.map(({ payload, batcher }) => [payload, batcher])).toEqual([
      [7, "a"],
      [7, "c"],
    ]);
  });

  it("is not acknowledged before the dead letter of one branch is written", async () => {
    const box = new LetterBox<number>((_, write) => write < 3);
    const source = given([7]);
    const run = await startTopology({
      producer: source,
      deadLetter: box,
      processor: toBoth,
      batchers: { a: throws, b: ends },
    });
    await run.clock.settle();
    expect([box.writes.length, source.told]).toEqual([1, []]);
    await run.end();
    expect(source.told).toMatchObject([{ outcome: "deadLettered" }]);
  });

  it("retries one branch without running the other again", async () => {
    const calls = { a: 0, b: 0 };
    const report = await runTopology({
      producer: given([1]),
      processor: toBoth,
      batchers: {
        a: {
          retry: retry({ attempts: 5, backoff: constant(10) }),
          handle() {
            if (++calls.a < 4) throw new Error("again");
          },
        },
        b: { handle: () => void calls.b++ },
      },
    });
    expect(calls).toEqual({ a: 4, b: 1 });
    expect(report.succeeded).toBe(1);
  });

  it("may go to one batcher several times, with other data each time", async () => {
    const data: unknown[] = [];
    const source = given([1]);
    const report = await runTopology({
      producer: source,
      processor: { handle: (message) => ["x", "y", "z"].map((one) => message.to("a", one)) },
      batchers: { a: { size: 2, handle: (all) => void data.push(all.map((one) => one.data)) } },
    });
    expect(data).toEqual([["x", "y"], ["z"]]);
    expect(report).toMatchObject({ received: 1, succeeded: 1 });
    expect(source.told.length).toBe(1);
  });

  it("is released, not acknowledged, when one branch stops the pipeline while the other runs", async () => {
    const gate = deferred();
    const source = given([1]);
    const run = await startTopology({
      producer: source,
      processor: toBoth,
      batchers: {
        a: { handle: () => gate.promise },
        b: { ...throws, retry: retry({ attempts: 1, whenExhausted: "stop" }) },
      },
    });
    await run.clock.settle();
    gate.resolve();
    await expect(run.end()).rejects.toThrow("broken");
    expect(source.told).toEqual([]);
    const { released, succeeded } = run.topology.stats();
    expect([released, succeeded, run.topology.violations]).toEqual([1, 0, 0]);
  });

  it("starts no branch of a message that a branch before it has released", async () => {
    const handled: string[] = [];
    const run = await startTopology({
      producer: given([1]),
      processor: { handle: (message) => [message.to("b"), message.to("a")] },
      batchers: {
        a: { size: 1, handle: () => void handled.push("a") },
        b: { ...throws, size: 1, retry: retry({ attempts: 1, whenExhausted: "stop" }) },
      },
    });
    await expect(run.end()).rejects.toThrow("broken");
    expect([handled, run.topology.violations]).toEqual([[], 0]);
  });

  it("keeps its bytes in the budget until the last branch has settled", async () => {
    const gate = deferred();
    const run = await startTopology({
      producer: given(["12345"]),
      processor: toBoth,
      batchers: { a: ends, b: { handle: () => gate.promise } },
    });
    await run.clock.settle();
    expect(run.topology.stats()).toMatchObject({ inFlight: 1, bytes: 5 });
    gate.resolve();
    await run.end();
    expect(run.topology.stats()).toMatchObject({ inFlight: 0, bytes: 0 });
  });

  it("is settled exactly once each, thousands of them at once", async () => {
    const source = given(numbers(1, 5000));
    const report = await runTopology({
      producer: source,
      processor: toBoth,
      batchers: {
        a: { size: 7, concurrency: 3, async handle() {} },
        b: { size: 11, handle: (messages) => messages[0]?.fail("unlucky") },
      },
    });
    expect(report.succeeded + report.failed).toBe(5000);
    expect(new Set(source.told.map(({ payload }) => payload)).size).toBe(5000);
    expect(source.told.length).toBe(5000);
  });
});
