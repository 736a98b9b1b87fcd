import fc from "fast-check";
import { expect, it } from "vitest";
import { constant, definePipeline, retry, text, type RunningPipeline } from "westend";
import { virtualClock } from "westend/testing";
import { sqlite, sqliteDeadLetter } from "@westend/sqlite";
import { file, queueOf, watched } from "./support/fixtures.ts";

const COUNT = 300;
const KEYS = 11;
/** The handler fails one in so many for good. */
const FAILING = 30;
/** So many statements of a hundred fail. */
const FAULTS = 3;

const isFailing = (id: number): boolean => id % FAILING === 7;
const inOrder = (ids: readonly number[]): number[] => ids.toSorted((one, other) => one - other);

/** The file is locked, the disk is full, the disk is broken. */
const CODES = [5, 13, 10];

it(
  "two pipelines handle everything in order although any statement may fail",
  { timeout: 60_000 },
  async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat(99)), async (fates) => {
        const clock = virtualClock();
        const path = file();
        let failing = false;
        let faults = 0;
        const faulty = () =>
          watched((sql) => {
            if (!failing || sql.startsWith("PRAGMA") || fates.next().value >= FAULTS) return;
            faults += 1;
            throw Object.assign(new Error("it failed"), { errcode: CODES[faults % CODES.length] });
          }, path);
        const queue = queueOf({ path, clock });
        const ids = Array.from({ length: COUNT }, (_, id) => id);
        await queue.enqueueAll(ids.map((id) => ({ payload: `${id}`, key: id % KEYS })));

        const handled: number[] = [];
        const start = async (): Promise<RunningPipeline> => {
          const own = queueOf({ client: faulty(), linger: 1, clock, busyTimeout: 100 });
          await own.open();
          return definePipeline({
            name: "faults",
            producer: sqlite({ queue: own, idle: 50 }),
            decoder: text(),
            restart: { max: 100, within: 1_000, backoff: constant(100) },
            processor: {
              concurrency: 5,
              retry: retry({ attempts: 1_000, when: () => false }),
              async handle({ data }) {
                if (isFailing(Number(data))) throw new Error("it failed");
                await new Promise<void>((resolve) => setImmediate(resolve));
                handled.push(Number(data));
              },
            },
            deadLetter: sqliteDeadLetter({ queue: own }),
          }).start({ clock });
        };
        const running = [await start(), await start()];
        failing = true;
        // Back-offs, of dead letters above all, and leases that run out take their time.
        for (let second = 0; second < 600 && (await queue.size()) > 0; second++) {
          await clock.advance(1_000);
        }
        failing = false;
        const stopped = running.map((each) => each.stop());
        await clock.advance(60_000);
        await Promise.all(stopped);

        expect(await queue.size()).toBe(0);
        expect(faults).toBeGreaterThan(0);
        const letters = await queue.deadLetters.list();
        expect(inOrder(letters.map(({ payload }) => Number(payload)))).toEqual(
          ids.filter(isFailing),
        );
        const first = [...new Set(handled)];
        expect(inOrder(first)).toEqual(ids.filter((id) => !isFailing(id)));
        for (let key = 0; key < KEYS; key += 1) {
          const ofKey = first.filter((id) => id % KEYS === key);
          expect(ofKey).toEqual(inOrder(ofKey));
        }
      }),
      { numRuns: Number(process.env["WESTEND_PROPERTY_RUNS"] ?? 4), endOnFailure: true },
    );
  },
);
