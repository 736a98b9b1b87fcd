import { definePipeline, memory, retry } from "westend";
import { testPipeline } from "westend/testing";
import { describe, expect, it } from "vitest";
import { order, orders } from "../support/orders.ts";

describe("what stands in for the outside world", () => {
  it("leaves the producers of the definition closed", async () => {
    let opened = 0;
    await using pipeline = await testPipeline(
      definePipeline({
        name: "closed",
        producer: {
          name: "broker",
          open() {
            opened++;
            throw new Error("there is no broker");
          },
        },
        processor: { handle() {} },
      }),
    );
    await pipeline.push(1);
    expect(opened).toBe(0);
  });

  it("goes on after what has been pushed is done", async () => {
    await using pipeline = await testPipeline(orders);
    await pipeline.push(order("a", 1));
    await pipeline.clock.advance(3_600_000);
    expect(pipeline.stats().status).toBe("running");
    await pipeline.push(order("b", 1));
    expect(pipeline.stats().succeeded).toBe(2);
  });

  it("runs a given handler in place of a batcher's own, and records what it got", async () => {
    const sizes: number[] = [];
    await using pipeline = await testPipeline(
      definePipeline({
        name: "replaced",
        producer: memory<string>(),
        processor: { handle: (message) => message.to("database") },
        batchers: {
          database: {
            handle() {
              throw new Error("there is no database");
            },
          },
        },
      }),
      { batchers: { database: (messages) => void sizes.push(messages.length) } },
    );
    const { batches, failed } = await pipeline.push("a", "b");
    expect(failed).toEqual([]);
    expect(sizes).toEqual([2]);
    expect(batches.database).toEqual([["a", "b"]]);
  });

  it("records every attempt of a batch", async () => {
    await using pipeline = await testPipeline(
      definePipeline({
        name: "twice",
        producer: memory<string>(),
        processor: { handle: (message) => message.to("database") },
        batchers: {
          database: {
            retry: retry({ attempts: 2 }),
            handle(_, { attempt }) {
              if (attempt === 1) throw new Error("not yet");
            },
          },
        },
      }),
    );
    const { batches } = await pipeline.push("a", "b");
    expect(batches.database).toEqual([
      ["a", "b"],
      ["a", "b"],
    ]);
  });

  it.each([
    ["an option it does not know", { bathcers: {} }, "Did you mean batchers?"],
    ["a handler that is none", { batchers: { ledger: 1 } }, "batchers.ledger: expected a function"],
    ["a sink in place of its write", { deadLetter: { write() {} } }, "expected a function, got an"],
    ["a clock of another kind", { clock: Date }, "clock: expected a virtualClock()"],
  ])("refuses %s", async (_, options, words) => {
    await expect(testPipeline(orders, options as never)).rejects.toThrow(words);
  });

  it("refuses what definePipeline has not made, such as a running pipeline", async () => {
    await using running = await orders.start();
    const words = "definition: expected what definePipeline gives, got an object";

    await expect(testPipeline(running as never)).rejects.toThrow(words);
  });

  it("refuses what push refuses", async () => {
    await using pipeline = await testPipeline(orders);

    await expect(pipeline.pushAll(1 as never)).rejects.toThrow("push([payload])");
    await expect(pipeline.pushAll([], { keyy: 1 } as never)).rejects.toThrow("Did you mean key?");
  });

  it("refuses a handler for a batcher that is not there", async () => {
    const batchers = { leger: () => {} };
    await expect(testPipeline(orders, { batchers } as object)).rejects.toMatchObject({
      code: "WESTEND_ERR_CONFIGURATION",
      issues: [{ path: "batchers.leger", expected: "one of ledger, review" }],
    });
  });

  it("collects dead letters without calling the sink", async () => {
    const pipeline = await testPipeline(letters);
    const { deadLettered, failed, outcomes } = await pipeline.push("poison", "fine");
    expect(deadLettered).toMatchObject([{ payload: "poison", attempts: 1, pipeline: "letters" }]);
    expect(failed.map(({ payload }) => payload)).toEqual(["poison"]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["deadLettered", "succeeded"]);
    await pipeline.stop();
  });

  it("writes dead letters again where their stand-in throws", async () => {
    let writes = 0;
    await using pipeline = await testPipeline(letters, {
      deadLetter() {
        if (++writes === 1) throw new Error("not now");
      },
    });
    const { deadLettered } = await pipeline.push("poison");
    expect(writes).toBe(2);
    expect(deadLettered).toHaveLength(1);
  });

  it("asks a query that runs whenever it is awaited only once", async () => {
    let queries = 0;
    const query: PromiseLike<void> = {
      // oxlint-disable-next-line unicorn/no-thenable
      then: (fulfilled) => {
        queries++;
        return Promise.resolve().then(fulfilled);
      },
    };
    await using pipeline = await testPipeline(orders, { batchers: { ledger: () => query } });
    await pipeline.push(order("a", 1));
    expect(queries).toBe(1);
  });

  it("leaves the definition as it is", async () => {
    const producer = memory(["a"]);
    const handled: string[] = [];
    const definition = definePipeline({
      name: "kept",
      producer,
      processor: { handle: ({ data }) => void handled.push(data) },
    });
    {
      await using pipeline = await testPipeline(definition);
      await pipeline.push("b");
    }
    producer.end();
    await (
      await definition.start()
    ).done;
    expect(handled).toEqual(["b", "a"]);
  });
});

describe("the end of a pipeline under test", () => {
  it("reports what became of everything when it is stopped", async () => {
    await using pipeline = await testPipeline(orders);
    await pipeline.push(order("a", 1), order("b", -1));
    expect(await pipeline.stop()).toEqual({
      received: 2,
      succeeded: 1,
      failed: 1,
      deadLettered: 0,
      dropped: 0,
      released: 0,
      abandoned: 0,
    });
  });

  it("drains what is still pending when it is stopped", async () => {
    await using pipeline = await testPipeline(orders);
    const pushed = pipeline.push(order("a", 1));
    await pipeline.stop();
    expect((await pushed).batches.ledger).toEqual([[{ id: "a", cents: 100 }]]);
  });

  it("aborts what still runs when its scope is left", async () => {
    let reason: unknown;
    const definition = definePipeline({
      name: "hanging",
      producer: memory<string>(),
      processor: {
        handle: (_, signal) =>
          new Promise<void>(() => {
            signal.addEventListener("abort", () => (reason = signal.reason));
          }),
      },
    });
    let pushed: Promise<unknown>;
    {
      await using pipeline = await testPipeline(definition);
      pushed = pipeline.push("x");
      await pipeline.clock.settle();
    }
    expect(reason).toMatchObject({ code: "WESTEND_ERR_SHUTDOWN_TIMEOUT" });
    expect(await pushed).toMatchObject({ outcomes: [{ outcome: "abandoned" }] });
  });

  it("rejects a timeout that is none, as a running pipeline does, instead of throwing", async () => {
    await using pipeline = await testPipeline(orders);
    const stopping = pipeline.stop({ timeout: Number.NaN });
    await expect(stopping).rejects.toThrow("timeout: expected a number, got NaN");
  });

  it("leaves no timer behind", async () => {
    const pipeline = await testPipeline(orders);
    await pipeline.push(order("a", 1));
    await pipeline.stop();
    expect(pipeline.clock.timers).toBe(0);
  });
});

const letters = definePipeline({
  name: "letters",
  producer: memory<string>(),
  processor: {
    handle({ data }) {
      if (data === "poison") throw new Error("it is poison");
    },
  },
  deadLetter: {
    name: "broker",
    write() {
      throw new Error("there is no broker");
    },
  },
});
