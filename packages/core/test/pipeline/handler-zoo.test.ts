import { constant, type Message, retry } from "westend";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { GivenSource } from "../support/given-source.ts";
import { LetterBox } from "../support/letter-box.ts";
import { sleep } from "../support/sleep.ts";
import { startTopology } from "../support/topology-run.ts";
import { type Animal, type Ending, zoo } from "../support/zoo.ts";

const ATTEMPTS = 3;

/** A handler's message among neighbours: of its own key, of another key, before it and after it. */
async function visit(animal: Animal, asynchronous: boolean) {
  const clock = virtualClock();
  const producer = new GivenSource(
    ["before", "animal", "same key", "other key", "late"].map((payload) => ({
      payload,
      key: payload === "animal" || payload === "same key" ? "animal" : payload,
    })),
  );
  const deadLetter = new LetterBox<string>();
  const batched: unknown[] = [];
  const ended: Record<string, number> = {};
  let foreign: Message<string, undefined> | undefined;
  let attempts = 0;
  const run = await startTopology<string>(
    {
      producer,
      deadLetter,
      processor: {
        concurrency: 2,
        timeout: 50,
        retry: retry({ attempts: ATTEMPTS, backoff: constant(10) }),
        handle(message) {
          if (message.data === "animal") {
            attempts++;
            const act = () => animal.handle(message, foreign as Message<string, undefined>);
            return asynchronous ? Promise.resolve().then(act) : act();
          }
          ended[message.data] = clock.now();
          if (message.data === "before") foreign = message;
          if (message.data === "late") return sleep(clock, 40);
          return message.data === "other key" ? message.to("sink") : undefined;
        },
      },
      batchers: {
        sink: { timeout: 5, handle: (messages) => void batched.push(...messages) },
      },
    },
    { clock },
  );
  const report = await run.end();
  return { producer, deadLetter, ended, attempts, report };
}

/** What is to be seen of a message that ends like that. */
function expected(ends: Ending): object {
  if ("outcome" in ends) return { attempts: 1, outcome: ends.outcome, letters: [] };
  const attempts = "code" in ends && ends.attempts === 1 ? 1 : ATTEMPTS;
  const reason = "code" in ends ? { code: ends.code } : ends.reason;
  const letter = { payload: "animal", attempts, reason };
  return { attempts, outcome: "deadLettered", letters: [letter] };
}

const neighbours = ["before", "same key", "other key", "late"];

describe("whatever a handler does, nothing is lost, and its neighbours do not notice", () => {
  it("has seen at least forty ways to misbehave", () => {
    expect(new Set(zoo.map(({ name }) => name)).size).toBeGreaterThanOrEqual(40);
  });

  describe.each([
    ["at once", false],
    ["after waiting", true],
  ])("%s", (_, asynchronous) => {
    it.each(zoo.map((animal): [string, Animal] => [animal.name, animal]))(
      "a handler that %s",
      async (_, animal) => {
        const { producer, deadLetter, ended, attempts, report } = await visit(animal, asynchronous);
        expect(report.received).toBe(5);
        expect(producer.told).toHaveLength(5);
        expect(producer.payloads("succeeded")).toEqual(expect.arrayContaining(neighbours));
        // Other keys do not wait for it.
        expect(ended).toMatchObject({ before: 0, "other key": 0, late: 0 });

        const told = producer.told.find(({ payload }) => payload === "animal");
        const seen = { attempts, outcome: told?.outcome, letters: deadLetter.letters };
        expect(seen).toMatchObject(expected(animal.ends));
        // Not a copy, and not wrapped.
        const same = "reason" in animal.ends ? animal.ends.reason : told?.reason;
        expect(told?.reason).toBe(same);
      },
    );
  });
});
