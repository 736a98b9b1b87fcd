import { definePipeline, memory, type MemoryProducer } from "westend";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { never } from "../support/deferred.ts";
import { stopWithin } from "../support/stopping.ts";
import { numbers } from "../support/test-source.ts";

async function reading(
  producer: MemoryProducer<number>,
  handle: (data: number, attempt: number) => unknown = () => undefined,
  options = {},
) {
  const clock = virtualClock();
  const running = await definePipeline<any, void, number>({
    name: "memory",
    producer,
    processor: { concurrency: 2, handle: (message): any => handle(message.data, message.attempt) },
    ...options,
  }).start({ clock });
  await clock.settle();
  return { clock, running };
}

describe("memory", () => {
  it("gives what it held at the start, then what is pushed, in order", async () => {
    const producer = memory([1, 2]);
    const handled: number[] = [];
    const { clock, running } = await reading(producer, (data) => void handled.push(data));
    expect(handled).toEqual([1, 2]);
    producer.push(3, 4);
    await clock.settle();
    producer.push(5);
    await clock.settle();
    expect(handled).toEqual([1, 2, 3, 4, 5]);
    expect(producer).toMatchObject({ waiting: 0, taken: 0, succeeded: 5, failed: 0 });
    await stopWithin(clock, running, 0);
  });

  it("takes no text for payloads, which it would take character by character", () => {
    expect(() => memory("hunter2" as never)).toThrow(
      "memory: 1 mistake\n  payloads: expected an iterable, got text. Put a single one into an array.",
    );
  });

  it("waits for more without a timer", async () => {
    const { clock, running } = await reading(memory());
    expect(clock.timers).toBe(0);
    expect(running.status).toBe("running");
    await stopWithin(clock, running, 0);
  });

  it("ends the pipeline after `end` once all is handled", async () => {
    const producer = memory(numbers(1, 5));
    const { running } = await reading(producer);
    expect(running.status).toBe("running");
    producer.end();
    expect(await running.done).toMatchObject({ received: 5, succeeded: 5 });
  });

  it("ends although `end` was called before the pipeline started", async () => {
    const producer = memory(numbers(1, 500));
    producer.end();
    const { running } = await reading(producer);
    expect(await running.done).toMatchObject({ received: 500, succeeded: 500 });
  });

  it("ends only when every session has nothing left", async () => {
    const producer = memory(numbers(1, 50));
    producer.end();
    const { running } = await reading(producer, undefined, {
      producer: { producer, concurrency: 3 },
    });
    expect(await running.done).toMatchObject({ received: 50, succeeded: 50 });
  });

  it("takes back, in its old place, what was not handled", async () => {
    const producer = memory(numbers(1, 6));
    const { clock, running } = await reading(producer, () => never, { maxInFlight: 4 });
    expect(producer).toMatchObject({ taken: 4, waiting: 2 });
    await stopWithin(clock, running, 100);
    expect(producer).toMatchObject({ taken: 0, waiting: 6, succeeded: 0, failed: 0 });
    const again: [number, number][] = [];
    producer.end();
    const second = await reading(producer, (data, attempt) => void again.push([data, attempt]));
    await second.running.done;
    expect(again.map(([data]) => data)).toEqual(numbers(1, 6));
    expect(new Set(again.map(([, attempt]) => attempt))).toEqual(new Set([1]));
  });

  it("takes back what several sessions took in the order it was pushed in", async () => {
    const producer = memory(numbers(1, 8));
    const { clock, running } = await reading(producer, () => never, {
      producer: { producer, concurrency: 2 },
      maxInFlight: 8,
    });
    expect(producer.taken).toBe(8);
    await stopWithin(clock, running, 100);
    const again: number[] = [];
    producer.end();
    const second = await reading(producer, (data) => void again.push(data));
    await second.running.done;
    expect(again).toEqual(numbers(1, 8));
  });

  it("counts failures apart, and does not send them again", async () => {
    const producer = memory(numbers(1, 4));
    producer.end();
    const { running } = await reading(producer, (data) => {
      if (data % 2 === 0) throw new Error("even");
    });
    expect(await running.done).toMatchObject({ succeeded: 2, failed: 2 });
    expect(producer).toMatchObject({ succeeded: 2, failed: 2, waiting: 0, taken: 0 });
  });

  it("feeds two pipelines, each message to one of them", async () => {
    const producer = memory(numbers(1, 40));
    const handled: number[] = [];
    const one = await reading(producer, (data) => void handled.push(data), { maxInFlight: 4 });
    const two = await reading(producer, (data) => void handled.push(data), { maxInFlight: 4 });
    producer.push(...numbers(41, 80));
    await one.clock.settle();
    await two.clock.settle();
    expect(handled.sort((a, b) => a - b)).toEqual(numbers(1, 80));
    await stopWithin(one.clock, one.running, 0);
    await stopWithin(two.clock, two.running, 0);
  });

  it("says how much is left", async () => {
    const producer = memory(numbers(1, 9));
    const { clock, running } = await reading(producer, () => never, { maxInFlight: 4 });
    expect(running.stats().producers["memory"]).toMatchObject({ remaining: 5, inFlight: 4 });
    await stopWithin(clock, running, 0);
  });
});
