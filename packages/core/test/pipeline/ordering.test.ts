import fc from "fast-check";
import { constant, DecodeError, retry } from "westend";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { given, GivenSource } from "../support/given-source.ts";
import { LetterBox } from "../support/letter-box.ts";
import { sleep } from "../support/sleep.ts";
import { numbers } from "../support/test-source.ts";
import { runTopology, startTopology } from "../support/topology-run.ts";

interface Event {
  readonly key: number;
  readonly sequence: number;
}

const unlimited = { ratio: 1000, perSecond: 1e9 };

/** Notes when handlers begin and end, and that no two of a key run at once. */
class Journal {
  readonly begun: string[] = [];
  readonly finished = new Map<number, number[]>();
  readonly #running = new Set<number>();

  async run({ key, sequence }: Event, work: () => Promise<void>): Promise<void> {
    if (this.#running.has(key)) throw new Error(`Two handlers of key ${key} run at once.`);
    this.#running.add(key);
    this.begun.push(`${key}.${sequence}`);
    try {
      await work();
      this.finished.set(key, [...(this.finished.get(key) ?? []), sequence]);
    } finally {
      this.#running.delete(key);
    }
  }
}

/** Decodes anything but garbage. */
const picky = {
  name: "picky",
  decode(payload: string): string {
    if (payload === "garbage") throw new DecodeError("It is garbage.");
    return payload;
  },
};

function events(keys: number, each: number): Event[] {
  return numbers(0, keys * each - 1).map((index) => ({
    key: index % keys,
    sequence: Math.floor(index / keys),
  }));
}

describe("order per key", () => {
  it("holds over retries, for a thousand keys at once", async () => {
    const clock = virtualClock();
    const journal = new Journal();
    const producer = given(events(1000, 5));
    const report = await runTopology(
      {
        producer,
        maxInFlight: 5000,
        processor: {
          concurrency: 300,
          partitionBy: ({ data }) => data.key,
          retry: retry({ attempts: 4, backoff: constant(20), budget: unlimited }),
          handle: ({ data, attempt }) =>
            journal.run(data, async () => {
              await sleep(clock, (data.key * 7 + data.sequence) % 5);
              if (attempt <= (data.key + data.sequence) % 4) throw new Error("again");
            }),
        },
      },
      { clock },
    );
    expect(report.succeeded).toBe(5000);
    expect(journal.finished.size).toBe(1000);
    for (const sequences of journal.finished.values()) expect(sequences).toEqual([0, 1, 2, 3, 4]);
  });

  it("holds whatever fails, and however long handlers take", async () => {
    const message = fc.record({
      key: fc.integer({ min: 0, max: 3 }),
      takes: fc.integer({ min: 0, max: 3 }),
      failures: fc.integer({ min: 0, max: 3 }),
    });
    const property = fc.asyncProperty(
      fc.array(message, { minLength: 1, maxLength: 25 }),
      fc.integer({ min: 1, max: 5 }),
      async (messages, concurrency) => {
        const clock = virtualClock();
        const ends: { key: number; index: number }[] = [];
        const running = new Set<number>();
        await runTopology(
          {
            producer: given(messages.map((one, index) => ({ ...one, index }))),
            processor: {
              concurrency,
              partitionBy: ({ data }) => data.key,
              retry: retry({ attempts: 3, backoff: constant(2), budget: unlimited }),
              async handle({ data, attempt }) {
                expect(running.has(data.key)).toBe(false);
                running.add(data.key);
                if (data.takes > 0) await sleep(clock, data.takes);
                running.delete(data.key);
                if (attempt <= data.failures && attempt < 3) throw new Error("again");
                ends.push(data);
                if (data.failures === 3) throw new Error("for good");
              },
            },
          },
          { clock },
        );
        for (const key of [0, 1, 2, 3]) {
          const indices = ends.filter((end) => end.key === key).map(({ index }) => index);
          expect(indices).toEqual([...indices].sort((a, b) => a - b));
        }
        expect(ends).toHaveLength(messages.length);
      },
    );
    await fc.assert(property, { numRuns: 30 });
  });

  it("lets other keys go on while one fails", async () => {
    const clock = virtualClock();
    const ends: string[] = [];
    await runTopology(
      {
        producer: given(["bad 1", "bad 2", "good 1", "good 2", "good 3"]),
        processor: {
          concurrency: 1,
          partitionBy: ({ data }) => data.split(" ")[0],
          retry: retry({ attempts: 3, backoff: constant(1000) }),
          handle({ data }) {
            if (data === "bad 1") throw new Error("no");
            ends.push(`${data}@${clock.now()}`);
          },
        },
      },
      { clock },
    );
    expect(ends).toEqual(["good 1@0", "good 2@0", "good 3@0", "bad 2@2000"]);
  });

  it("starts the next of a key only after the dead letter of the one before is written", async () => {
    const clock = virtualClock();
    const deadLetter = new LetterBox<string>((_, write) => write === 1);
    const order: string[] = [];
    await runTopology(
      {
        producer: given(["first", "second"]),
        deadLetter,
        processor: {
          partitionBy: () => "key",
          handle({ data }) {
            order.push(`${data} with ${deadLetter.letters.length} letter(s)`);
            if (data === "first") throw new Error("no");
          },
        },
      },
      { clock },
    );
    expect(order).toEqual(["first with 0 letter(s)", "second with 1 letter(s)"]);
  });

  it("is by the key of the source unless `partitionBy` says otherwise", async () => {
    const clock = virtualClock();
    const starts: string[] = [];
    const incoming = (payload: string, key?: string) => ({ payload, key });
    const producer = () =>
      new GivenSource([incoming("a1", "a"), incoming("a2", "a"), incoming("none")]);
    const handle = async ({ data }: { data: string }) => {
      starts.push(`${data}@${clock.now()}`);
      await sleep(clock, 10);
    };
    await runTopology({ producer: producer(), processor: { handle } }, { clock });
    expect(starts).toEqual(["a1@0", "none@0", "a2@10"]);
    starts.length = 0;
    const partitionBy = () => undefined;
    await runTopology({ producer: producer(), processor: { partitionBy, handle } }, { clock });
    expect(starts).toEqual(["a1@20", "a2@20", "none@20"]);
  });

  it("holds when a message behind cannot be decoded", async () => {
    const clock = virtualClock();
    const starts: string[] = [];
    const payloads = ["first", "garbage", "third", "fourth"];
    await runTopology(
      {
        // What cannot be decoded has been dealt with before the fourth comes.
        producer: new GivenSource(
          payloads.map((payload) => ({ payload, key: "key" })),
          1,
        ),
        decoder: picky,
        processor: {
          async handle({ data }) {
            starts.push(`${data}@${clock.now()}`);
            await sleep(clock, 10);
          },
        },
      },
      { clock },
    );
    expect(starts).toEqual(["first@0", "third@10", "fourth@20"]);
  });

  it("holds when a message behind was delivered too often", async () => {
    const clock = virtualClock();
    const starts: string[] = [];
    const deliveries = [1, 9, 1, 1].map((attempt, payload) => ({ payload, attempt, key: "key" }));
    await runTopology(
      {
        producer: new GivenSource(deliveries, 1),
        processor: {
          retry: retry({ attempts: 3 }),
          async handle({ data }) {
            starts.push(`${data}@${clock.now()}`);
            await sleep(clock, 10);
          },
        },
      },
      { clock },
    );
    expect(starts).toEqual(["0@0", "2@10", "3@20"]);
  });

  it("holds a key behind what cannot be decoded and is held", async () => {
    const clock = virtualClock();
    const ends: string[] = [];
    const incoming = (payload: string, key: string) => ({ payload, key });
    let fixed = false;
    const run = await startTopology(
      {
        producer: new GivenSource([
          incoming("garbage", "a"),
          incoming("behind it", "a"),
          incoming("other", "b"),
        ]),
        decoder: {
          name: "picky",
          decode: (payload) => (payload === "garbage" && !fixed ? picky.decode(payload) : payload),
        },
        processor: {
          retry: retry({ attempts: 3, backoff: constant(1000), whenExhausted: "hold" }),
          handle: ({ data }) => void ends.push(data),
        },
      },
      { clock },
    );
    await clock.advance(3500);
    expect(ends).toEqual(["other"]);
    fixed = true;
    await run.end();
    expect(ends).toEqual(["other", "garbage", "behind it"]);
    expect(clock.now()).toBe(4000);
  });
});
