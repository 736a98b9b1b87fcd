import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KeyOracle } from "./support/key-oracle.ts";
import { ModelQueue } from "./support/model-queue.ts";
import { drainStep, play, stepsOf } from "./support/play.ts";

describe("any sequence of calls", () => {
  it("has the results that a plain list of messages would give", { timeout: 60_000 }, async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(stepsOf(fc.constant(undefined)), async (steps) => {
        const model = new ModelQueue();
        await play(steps, {
          enqueued: (ids, { delay }) => model.enqueue(ids, delay),
          leased(messages, { limit, duration }) {
            const expected = model.lease(limit, duration, messages[0]?.token ?? 0);
            const got = messages.map(({ metadata: { id, attempts } }) => ({ id, attempts }));
            expect(got).toEqual(expected);
          },
          ended(lost, all, step) {
            const expected = model.end(step.do, all, step.for);
            expect(lost.map(({ metadata }) => metadata.id).toSorted()).toEqual(expected.toSorted());
          },
          passed: (milliseconds) => model.pass(milliseconds),
          async after(queue) {
            expect(await queue.counts()).toEqual({ ...model.counts(), dead: 0 });
          },
        });
      }),
      { numRuns: Number(process.env["WESTEND_PROPERTY_RUNS"] ?? 100) },
    );
  });

  it(
    "keeps messages of a key in order over two consumers, and loses none",
    { timeout: 60_000 },
    async () => {
      const key = fc.constantFrom(undefined, "a", "a", "b", "c");
      await fc.assert(
        fc.asyncProperty(stepsOf(key), async (steps) => {
          const oracle = new KeyOracle();
          const rest = Array.from({ length: 15 }, drainStep).flat();
          await play([...steps, { do: "pass", milliseconds: 1_000 }, ...rest], {
            enqueued: (ids, { keys, delay }) => oracle.enqueued(ids, keys, delay > 0),
            leased: (messages, { by, duration }) => oracle.leased(messages, by, duration),
            ended(lost, all, step) {
              const ours = all.filter((message) => !lost.includes(message));
              oracle.ended(ours, step.do, step.for);
            },
            passed: (milliseconds) => oracle.pass(milliseconds),
          });
          expect(oracle.breaches).toEqual([]);
          expect(oracle.left).toEqual([]);
        }),
        { numRuns: Number(process.env["WESTEND_PROPERTY_RUNS"] ?? 100) },
      );
    },
  );
});
