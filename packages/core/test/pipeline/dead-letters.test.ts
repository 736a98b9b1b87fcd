import { constant, type DeadLetter, memory, retry } from "westend";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { deferred } from "../support/deferred.ts";
import { given, GivenSource } from "../support/given-source.ts";
import { LetterBox } from "../support/letter-box.ts";
import { numbers } from "../support/test-source.ts";
import { recordTelemetry } from "../support/telemetry-recorder.ts";
import { runTopology, startTopology } from "../support/topology-run.ts";

const failing = {
  handle: (): never => {
    throw new Error("no");
  },
};

describe("a dead letter", () => {
  it("has everything that is needed to look into it and to send it back", async () => {
    const clock = virtualClock(1_000_000);
    const deadLetter = new LetterBox();
    const error = new Error("no");
    await runTopology(
      {
        producer: new GivenSource([{ payload: { id: 1 }, key: "key" }]),
        deadLetter,
        decoder: { name: "decoder", decode: () => "something else" },
        processor: {
          retry: retry({ attempts: 3, backoff: constant(100) }),
          handle: () => {
            throw error;
          },
        },
      },
      { clock },
    );
    const letter: DeadLetter = {
      pipeline: "test",
      source: "given",
      payload: { id: 1 },
      metadata: undefined,
      key: "key",
      reason: error,
      attempts: 3,
      batcher: undefined,
      receivedAt: 1_000_000,
      failedAt: 1_000_200,
    };
    expect(deadLetter.letters).toEqual([letter]);
    expect(deadLetter.letters[0]?.reason).toBe(error);
  });

  it("is written before its message is acknowledged", async () => {
    const producer = given([1]);
    const gate = deferred();
    const run = await startTopology({
      producer,
      deadLetter: { name: "slow", write: () => gate.promise },
      processor: failing,
    });
    await run.clock.settle();
    expect(producer.told).toEqual([]);
    expect(run.topology.stats()).toMatchObject({ inFlight: 1, deadLettersPending: 1 });
    gate.resolve();
    await run.end();
    expect(producer.payloads("deadLettered")).toEqual([1]);
  });

  it("is written together with what failed in the same go", async () => {
    const deadLetter = new LetterBox<number>();
    await runTopology({
      producer: given(numbers(1, 250)),
      maxInFlight: 250,
      deadLetter,
      processor: failing,
    });
    expect(deadLetter.writes.map(({ length }) => length)).toEqual([100, 100, 50]);
  });
});

describe("a dead-letter sink that fails", () => {
  it("leaves the message unacknowledged, and gets it again until it takes it", async () => {
    const producer = given([1]);
    const deadLetter = new LetterBox<number>((_, write) => write <= 3);
    const clock = virtualClock();
    const run = await startTopology({ producer, deadLetter, processor: failing }, { clock });
    await clock.advance(699);
    expect(deadLetter.writes).toHaveLength(3);
    expect(producer.told).toEqual([]);
    await run.end();
    expect(clock.now()).toBe(700);
    expect(deadLetter.payloads).toEqual([1]);
    expect(producer.payloads("deadLettered")).toEqual([1]);
  });

  it("waits longer and longer, at most half a minute", async () => {
    const clock = virtualClock();
    const at: number[] = [];
    const deadLetter = new LetterBox<number>(() => {
      at.push(clock.now());
      return at.length < 12;
    });
    await runTopology({ producer: given([1]), deadLetter, processor: failing }, { clock });
    const waits = at.slice(1).map((time, index) => time - (at[index] as number));
    expect(waits.slice(0, 4)).toEqual([100, 200, 400, 800]);
    expect(waits.at(-1)).toBe(30_000);
  });

  it("throwing at once is like rejecting", async () => {
    const producer = given([1]);
    let writes = 0;
    const write = () => {
      if (++writes === 1) throw new Error("no");
    };
    await runTopology({ producer, deadLetter: { name: "sink", write }, processor: failing });
    expect(writes).toBe(2);
    expect(producer.payloads("deadLettered")).toEqual([1]);
  });

  it("loses nothing when it is down for a long time while much fails", async () => {
    const clock = virtualClock();
    const producer = given(numbers(1, 500));
    let refused = 0;
    const deadLetter = new LetterBox<number>(() => clock.now() < 300_000 && ++refused > 0);
    const report = await runTopology({ producer, deadLetter, processor: failing }, { clock });
    expect(report.deadLettered).toBe(500);
    expect([...deadLetter.payloads].sort((a, b) => a - b)).toEqual(numbers(1, 500));
    // It is asked now and then, not hammered.
    expect(refused).toBeLessThan(40);
  });

  it("keeps its messages in the budget: no more is taken than that", async () => {
    const clock = virtualClock();
    const producer = given(numbers(1, 100));
    const deadLetter = new LetterBox<number>(() => clock.now() < 60_000);
    const options = { producer, deadLetter, maxInFlight: 10, processor: failing };
    const run = await startTopology(options, { clock });
    await clock.advance(50_000);
    expect(run.topology.stats()).toMatchObject({
      received: 10,
      inFlight: 10,
      deadLettersPending: 10,
    });
    const report = await run.end();
    expect(report.deadLettered).toBe(100);
  });

  it("is reported: when it refuses, and when it takes", async () => {
    using telemetry = recordTelemetry("test");
    const deadLetter = new LetterBox<number>((_, write) => write === 1);
    await runTopology({ producer: given([1, 2]), deadLetter, processor: failing });
    expect(telemetry.of("westend:dead-letter:refused")).toMatchObject([
      { letters: 2, error: { code: "WESTEND_ERR_DEAD_LETTER" } },
    ]);
    const written = telemetry.of("westend:dead-letter:written").map(({ letters }) => letters);
    expect(written.reduce((sum, letters) => sum + letters, 0)).toBe(2);
  });
});

describe("a letter that cannot be written", () => {
  const refusing = (payload: number) =>
    new LetterBox<number>((payloads) => payloads.includes(payload));

  it("does not hold those that came with it", async () => {
    const clock = virtualClock();
    const producer = given(numbers(1, 100));
    const deadLetter = refusing(50);
    await startTopology({ producer, maxInFlight: 100, deadLetter, processor: failing }, { clock });
    await clock.advance(1000);
    expect(producer.payloads("deadLettered")).toHaveLength(99);
  });

  it("does not hold those that come later, however long it has been refused", async () => {
    const clock = virtualClock();
    const producer = memory<number>([1]);
    const deadLetter = refusing(1);
    const options = { producer: producer as never, deadLetter, processor: failing };
    await startTopology<number>(options, { clock });
    await clock.advance(120_000);
    producer.push(2, 3);
    await clock.advance(0);
    expect(deadLetter.payloads).toEqual([2, 3]);
    expect(producer.succeeded).toBe(2);
  });
});
