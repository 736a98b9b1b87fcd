// oxlint-disable unicorn/no-thenable -- decoders may give what pretends to be a promise
import { constant, DecodeError, json, retry, text } from "westend";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { deferred } from "../support/deferred.ts";
import { given, GivenSource } from "../support/given-source.ts";
import { LetterBox } from "../support/letter-box.ts";
import { sleep } from "../support/sleep.ts";
import { numbers } from "../support/test-source.ts";
import { runTopology, startTopology } from "../support/topology-run.ts";

const decoder = (decode: (payload: never) => unknown) => ({ name: "test", decode });

describe("decoding", () => {
  it("gives handlers what the decoder made of the payload", async () => {
    const seen: unknown[] = [];
    await runTopology({
      producer: given(['{"a":1}', "[2]"]),
      decoder: json(),
      processor: { handle: ({ data }) => void seen.push(data) },
    });
    expect(seen).toEqual([{ a: 1 }, [2]]);
  });

  it("fails alone what does not fit, with what is wrong with it, and never tries again", async () => {
    const producer = given(['{"a":1}', "{", '{"b":2}']);
    const deadLetter = new LetterBox<string>();
    let failures = 0;
    await runTopology({
      producer,
      decoder: json(),
      deadLetter,
      onFailed: (messages) => void (failures += messages.length),
      processor: { retry: retry({ attempts: 5, backoff: constant(10) }), handle: () => {} },
    });
    expect(producer.payloads("succeeded")).toEqual(['{"a":1}', '{"b":2}']);
    expect(deadLetter.letters).toMatchObject([
      { payload: "{", attempts: 1, reason: { code: "WESTEND_ERR_DECODE" } },
    ]);
    expect(failures).toBe(1);
  });

  it("fails alone what its source could not give, and neither decodes nor tries it", async () => {
    const defect = new DecodeError("too large");
    const deadLetter = new LetterBox<string>();
    let decoded = 0;
    await runTopology({
      producer: new GivenSource([{ payload: "1" }, { payload: "2", defect }, { payload: "3" }]),
      decoder: decoder(() => ++decoded),
      deadLetter,
      processor: { retry: retry({ attempts: 5, backoff: constant(10) }), handle: () => {} },
    });
    expect(decoded).toBe(2);
    expect(deadLetter.letters).toMatchObject([{ payload: "2", attempts: 1, reason: defect }]);
  });

  it("shows `onFailed` the payload, and no data", async () => {
    const seen: unknown[] = [];
    await runTopology({
      producer: given([new Uint8Array([0xff])]),
      decoder: text(),
      onFailed: (messages) => {
        for (const { data, payload } of messages) seen.push(data, payload);
      },
      processor: { handle: () => {} },
    });
    expect(seen).toEqual([undefined, new Uint8Array([0xff])]);
  });

  it("tries again when the decoder fails for another reason", async () => {
    const clock = virtualClock();
    let calls = 0;
    const seen: unknown[] = [];
    await runTopology(
      {
        producer: given(["payload"]),
        decoder: decoder(() => {
          if (++calls <= 2) throw new Error("The registry is down.");
          return "decoded";
        }),
        processor: {
          retry: retry({ attempts: 3, backoff: constant(100) }),
          handle: ({ data }) => void seen.push(data),
        },
      },
      { clock },
    );
    expect([calls, seen, clock.now()]).toEqual([3, ["decoded"], 200]);
  });

  it("gives up when the decoder fails in every attempt", async () => {
    const producer = given(["payload"]);
    const deadLetter = new LetterBox<string>();
    let calls = 0;
    await runTopology({
      producer,
      deadLetter,
      decoder: decoder(async () => {
        calls++;
        await Promise.resolve();
        throw new Error("The registry is down.");
      }),
      processor: { retry: retry({ attempts: 4, backoff: constant(100) }), handle: () => {} },
    });
    expect(calls).toBe(4);
    expect(deadLetter.letters).toMatchObject([{ attempts: 4 }]);
  });

  it("carries out what `when` says of a payload that does not fit, except to try again", async () => {
    const run = async (action: "drop" | "retry") => {
      const policy = retry({ attempts: 3, backoff: constant(1), when: () => action });
      return runTopology({
        producer: given(["{"]),
        decoder: json(),
        processor: { retry: policy, handle: () => {} },
      });
    };
    expect(await run("drop")).toMatchObject({ dropped: 1 });
    expect(await run("retry")).toMatchObject({ failed: 1 });
  });

  it("ends the pipeline when that is the policy", async () => {
    const error = new DecodeError("It does not fit.");
    const run = runTopology({
      producer: given(["payload"]),
      decoder: decoder(() => {
        throw error;
      }),
      processor: { retry: retry({ attempts: 1, whenExhausted: "stop" }), handle: () => {} },
    });
    await expect(run).rejects.toBe(error);
  });

  it.each<[string, () => unknown]>([
    [
      "undefined",
      () => {
        throw undefined;
      },
    ],
    [
      "a string",
      () => {
        throw "text";
      },
    ],
    [
      "in the getter of then",
      () =>
        Object.defineProperty({}, "then", {
          get: () => {
            throw new Error("then");
          },
        }),
    ],
    ["a rejection without a reason", () => Promise.reject()],
  ])("survives a decoder that throws %s", async (_, decode) => {
    const producer = given([1, 2]);
    const run = { producer, decoder: decoder((payload) => (payload === 1 ? decode() : payload)) };
    await runTopology({ ...run, processor: { handle: () => {} } });
    expect(producer.payloads("failed")).toEqual([1]);
    expect(producer.payloads("succeeded")).toEqual([2]);
  });
});

describe("a decoder that has to wait", () => {
  it("keeps the order of arrival", async () => {
    const clock = virtualClock();
    const seen: unknown[] = [];
    await runTopology(
      {
        producer: given(numbers(1, 20), 7),
        decoder: decoder(async (payload: number) => {
          if (payload % 3 !== 0) await sleep(clock, 50 - payload);
          return payload;
        }),
        processor: { concurrency: 1, handle: ({ data }) => void seen.push(data) },
      },
      { clock },
    );
    expect(seen).toEqual(numbers(1, 20));
  });

  it("keeps the order of a key when only some payloads make it wait", async () => {
    const clock = virtualClock();
    const seen: unknown[] = [];
    const deliveries = numbers(1, 12).map((payload) => ({ payload, key: payload % 2 }));
    await runTopology(
      {
        producer: new GivenSource(deliveries, 4),
        decoder: decoder((payload: number) =>
          payload % 4 === 1 ? sleep(clock, 10).then(() => payload) : payload,
        ),
        processor: { handle: ({ data }) => void seen.push(data) },
      },
      { clock },
    );
    const odd = seen.filter((data) => (data as number) % 2 === 1);
    expect(odd).toEqual([1, 3, 5, 7, 9, 11]);
  });

  it("does not hold back what is decoded already", async () => {
    const gate = deferred<number>();
    const seen: unknown[] = [];
    const run = await startTopology({
      producer: given([1, 2, 3]),
      decoder: decoder((payload: number) =>
        payload === 3 ? gate.promise : Promise.resolve(payload),
      ),
      processor: { handle: ({ data }) => void seen.push(data) },
    });
    await run.clock.settle();
    expect(seen).toEqual([1, 2]);
    gate.resolve(3);
    await run.end();
    expect(seen).toEqual([1, 2, 3]);
  });

  it("may give a foreign thenable, even one that calls back twice", async () => {
    const producer = given([1, 2]);
    const seen: unknown[] = [];
    await runTopology({
      producer,
      decoder: decoder((payload) => ({
        then(resolve: (value: unknown) => void) {
          resolve(payload);
          resolve("twice");
        },
      })),
      processor: { handle: ({ data }) => void seen.push(data) },
    });
    expect(seen).toEqual([1, 2]);
    expect(producer.payloads("succeeded")).toEqual([1, 2]);
  });
});
