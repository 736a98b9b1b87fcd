import { memory } from "westend";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { given } from "../support/given-source.ts";
import { sleep } from "../support/sleep.ts";
import { numbers } from "../support/test-source.ts";
import { runTopology, startTopology } from "../support/topology-run.ts";

describe("dispatch", () => {
  it("runs ten messages on ten idle processors at once", async () => {
    const clock = virtualClock();
    const handle = () => sleep(clock, 30);
    const producer = given(numbers(1, 10));
    await runTopology({ producer, processor: { concurrency: 10, handle } }, { clock });
    expect(clock.now()).toBe(30);
  });

  it("gives the next message to whichever processor is idle first", async () => {
    const clock = virtualClock();
    const ends: string[] = [];
    // One takes long; the other must do all the rest meanwhile.
    const handle = async ({ data }: { data: number }) => {
      await sleep(clock, data === 1 ? 100 : 10);
      ends.push(`${data}@${clock.now()}`);
    };
    const producer = given(numbers(1, 6));
    await runTopology({ producer, processor: { concurrency: 2, handle } }, { clock });
    expect(ends).toEqual(["2@10", "3@20", "4@30", "5@40", "6@50", "1@100"]);
  });

  it("never runs more than `concurrency` handlers, and always as many when there is work", async () => {
    const clock = virtualClock();
    const seen: number[] = [];
    let running = 0;
    const handle = async ({ data }: { data: number }) => {
      seen.push(++running);
      await sleep(clock, 5 + (data % 7));
      running--;
    };
    const producer = given(numbers(1, 200));
    await runTopology({ producer, processor: { concurrency: 4, handle } }, { clock });
    expect(seen.slice(3).every((count) => count === 4)).toBe(true);
  });

  it("starts a message as soon as it comes, while others run", async () => {
    const clock = virtualClock();
    const producer = memory<number>();
    const starts: string[] = [];
    const handle = async ({ data }: { data: number }) => {
      starts.push(`${data}@${clock.now()}`);
      await sleep(clock, 100);
    };
    const run = await startTopology(
      { producer: producer as never, processor: { concurrency: 2, handle: handle as never } },
      { clock },
    );
    producer.push(1);
    await clock.advance(40);
    producer.push(2);
    producer.end();
    await run.end();
    expect(starts).toEqual(["1@0", "2@40"]);
  });

  it("starts nothing above a lowered limit, and more at once after a raised one", async () => {
    const clock = virtualClock();
    const starts: number[] = [];
    const handle = async () => {
      starts.push(clock.now());
      await sleep(clock, 10);
    };
    const producer = given(numbers(1, 12));
    const run = await startTopology({ producer, processor: { concurrency: 4, handle } }, { clock });
    await clock.advance(5);
    run.topology.update({ processor: { concurrency: 1 } });
    await clock.advance(20);
    run.topology.update({ processor: { concurrency: 5 } });
    await run.end();
    expect(starts).toEqual([0, 0, 0, 0, 10, 20, 25, 25, 25, 25, 30, 35]);
  });
});

describe("a synchronous handler", () => {
  it("costs no promise: the messages of a pull run without a micro-task in between", async () => {
    const order: string[] = [];
    const handle = ({ data }: { data: number }) => {
      order.push(String(data));
      if (data === 1) queueMicrotask(() => order.push("micro-task"));
    };
    await runTopology({ producer: given(numbers(1, 5)), processor: { concurrency: 1, handle } });
    expect(order).toEqual(["1", "2", "3", "4", "5", "micro-task"]);
  });

  it("keeps its order of effects when it throws, fails or routes", async () => {
    const order: string[] = [];
    const handle = (message: { data: number; fail(reason: unknown): void }) => {
      order.push(String(message.data));
      if (message.data === 1) queueMicrotask(() => order.push("micro-task"));
      if (message.data === 2) throw new Error("no");
      if (message.data === 3) message.fail("no");
    };
    await runTopology({ producer: given(numbers(1, 5)), processor: { concurrency: 1, handle } });
    expect(order).toEqual(["1", "2", "3", "4", "5", "micro-task"]);
  });

  it("lets timers fire in the middle of a long run", async () => {
    const virtual = virtualClock();
    let spent = 0;
    // Each message takes half a millisecond of the processor's time.
    const clock = { ...virtual, now: () => virtual.now() + spent };
    let handled = 0;
    let handledAtImmediate = -1;
    const handle = () => {
      if (handled === 0) setImmediate(() => (handledAtImmediate = handled));
      handled++;
      spent += 0.5;
    };
    const producer = given(numbers(1, 1000));
    const options = { producer, maxInFlight: 1000, processor: { concurrency: 1, handle } };
    const run = await startTopology(options, { clock });
    await run.end();
    expect(handled).toBe(1000);
    expect(handledAtImmediate).toBeGreaterThan(0);
    expect(handledAtImmediate).toBeLessThan(100);
  });
});
