import { AsyncResource } from "node:async_hooks";
import { setImmediate as turn } from "node:timers/promises";
import { systemClock } from "westend";
import { describeProducer, type ProducerFeatures, type ProducerSuite } from "westend/testing";
import { describe, expect, it } from "vitest";
import { caught } from "../support/caught-flaws.ts";
import type { Flaw } from "../support/flaws.ts";
import { ReferenceBroker, referenceFeatures } from "../support/reference-broker.ts";

interface Collected {
  readonly suite: string;
  readonly tests: Map<string, () => Promise<void>>;
  readonly skipped: readonly string[];
}

/** What the suite would have a test runner run. */
function collect(
  suite: Pick<ProducerSuite<string, unknown>, "create" | "features"> &
    Partial<ProducerSuite<string, unknown>>,
): Collected {
  const tests = new Map<string, () => Promise<void>>();
  const skipped: string[] = [];
  let name = "";
  const define = (title: string, run: () => Promise<void>): void => void tests.set(title, run);
  describeProducer({
    patience: 20,
    ...suite,
    describe(title, body) {
      name = title;
      body();
    },
    it: Object.assign(define, { skip: (title: string) => void skipped.push(title) }),
  });
  return { suite: name, tests, skipped };
}

const broken = (flaw: Flaw | undefined, failed: "again" | "gone" = "again"): Collected =>
  collect({
    create: ({ clock }) => new ReferenceBroker({ clock, flaw, failed }),
    features: { ...referenceFeatures, failed },
  });

/** A broker, and what others in the process do in the moment in which messages are sent to it. */
const whileSending = (flaw: Flaw | undefined, act: () => void): Collected =>
  collect({
    create({ clock }) {
      const broker = new ReferenceBroker({ clock, flaw });
      return {
        producer: broker,
        send(values) {
          act();
          broker.send(values);
        },
        close: () => broker.close(),
      };
    },
    features: {},
  });

const { tests: scenarios } = broken(undefined);

describe("the conformance suite", () => {
  it.each([...scenarios.keys()])(
    "passes a producer that keeps all it promises: %s",
    async (title) => {
      await expect(scenarios.get(title)?.()).resolves.toBeUndefined();
    },
  );

  it.each(caught)("catches a producer that %s, by: %s", async (flaw, title, words) => {
    await expect(broken(flaw).tests.get(title)?.()).rejects.toThrow(words);
  });

  it("catches a producer that keeps failed messages although they were to be gone", async () => {
    const { tests } = broken("keeps failed messages", "gone");
    const title = "tells messages that failed from those that are done";
    await expect(tests.get(title)?.()).rejects.toThrow("the source should have nothing left");
  });

  it("has no scenario that nothing is known to fail", () => {
    const titles = new Set(caught.map(([, title]) => title));
    expect([...scenarios.keys()].filter((title) => !titles.has(title))).toEqual([]);
  });

  it("catches a handle that is left when others in the process close theirs meanwhile", async () => {
    const other = setInterval(() => {}, 60_000);
    const { tests } = whileSending("keeps a handle", () => clearInterval(other));
    await expect(tests.get("leaves no timer and no handle behind")?.()).rejects.toThrow(
      "resources of the process are in use: Timeout",
    );
  });

  it("does not blame a producer for what others in the process open meanwhile", async () => {
    let other: NodeJS.Timeout | undefined;
    const open = AsyncResource.bind(() => {
      other = setInterval(() => {}, 60_000);
    });
    const { tests } = whileSending(undefined, open);
    await expect(tests.get("leaves no timer and no handle behind")?.()).resolves.toBeUndefined();
    clearInterval(other);
  });

  it("skips what is not promised, and says what that would have been", () => {
    const { tests, skipped } = collect({
      create: ({ clock }) => new ReferenceBroker({ clock }),
      features: {},
    });
    expect(skipped).toContain("gives messages the key they were sent with (not promised: key)");
    expect(tests.size + skipped.length).toBe(scenarios.size);
    for (const feature of Object.keys(referenceFeatures) as (keyof ProducerFeatures)[]) {
      expect(skipped.some((title) => title.includes(feature))).toBe(true);
    }
  });

  it("skips by its title alone where the runner cannot skip", async () => {
    const tests = new Map<string, () => Promise<void>>();
    describeProducer({
      create: ({ clock }) => new ReferenceBroker({ clock, flaw: "loses keys" }),
      features: {},
      describe: (_, body) => body(),
      it: (title, run) => void tests.set(title, run),
    });
    const title = "gives messages the key they were sent with (not promised: key)";
    await expect(tests.get(title)?.()).resolves.toBeUndefined();
  });

  it("is named as it is told", () => {
    const create: ProducerSuite<string, unknown>["create"] = ({ clock }) =>
      new ReferenceBroker({ clock });
    expect(collect({ name: "kafka", create, features: {} }).suite).toBe("kafka: conformance");
  });

  it("says what is missing where there is no test runner", () => {
    const suite = { create: () => Promise.reject(new Error("unused")), features: {} };
    expect(() => describeProducer(suite)).toThrow("Pass on those of your test runner");
  });

  it("says which part of the harness a promise calls for", async () => {
    const { tests } = collect({
      create({ clock }) {
        const broker = new ReferenceBroker({ clock });
        return { producer: broker, send: (values) => broker.send(values) };
      },
      features: { finite: true },
    });
    await expect(tests.get("ends at once if nothing was ever sent")?.()).rejects.toThrow(
      "the harness needs finish",
    );
  });

  it("waits for real time on a real clock", async () => {
    const { tests } = collect({
      create({ clock }) {
        const broker = new ReferenceBroker({ clock });
        return {
          producer: broker,
          async send(values) {
            await turn();
            broker.send(values);
          },
        };
      },
      clock: systemClock,
      patience: 10_000,
      features: { live: true, order: true },
    });
    for (const title of [
      "gives what is sent while a pull waits, or wakes the pipeline",
      "feeds a pipeline, each message once",
    ]) {
      await expect(tests.get(title)?.()).resolves.toBeUndefined();
    }
  });
});
