import { expect, it, onTestFinished } from "vitest";
import { constant, definePipeline, retry, text, type RunningPipeline } from "westend";
import { sqlite, sqliteDeadLetter } from "@westend/sqlite";
import { file, queueOf, watched } from "./support/fixtures.ts";

const COUNT = 300;
const KEYS = 11;
/** The handler fails one in so many for good. */
const FAILING = 30;

const isFailing = (id: number): boolean => id % FAILING === 7;
const inOrder = (ids: readonly number[]): number[] => ids.toSorted((one, other) => one - other);

/** The file is locked, the disk is full, the disk is broken. */
const CODES = [5, 13, 10];

it.each([1, 2, 3, 4])(
  "two pipelines handle everything in order although any statement may fail (%i)",
  async () => {
    const path = file();
    let rate = 0;
    let faults = 0;
    const faulty = () =>
      watched((sql) => {
        if (sql.startsWith("PRAGMA") || Math.random() >= rate) return;
        faults += 1;
        throw Object.assign(new Error("it failed"), { errcode: CODES[faults % CODES.length] });
      }, path);
    const queue = queueOf({ path });
    const ids = Array.from({ length: COUNT }, (_, id) => id);
    await queue.enqueueAll(ids.map((id) => ({ payload: `${id}`, key: id % KEYS })));

    const handled: number[] = [];
    const start = async (): Promise<RunningPipeline> => {
      const own = queueOf({ client: faulty(), linger: 1 });
      await own.open();
      return definePipeline({
        name: "faults",
        producer: sqlite({ queue: own, idle: 5 }),
        decoder: text(),
        restart: { max: 10_000, within: 1_000, backoff: constant(1) },
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
      }).start();
    };
    const running = [await start(), await start()];
    onTestFinished(async () => {
      rate = 0;
      for (const each of running) await each.stop();
    });
    rate = 0.03;
    await expect.poll(() => queue.size(), { timeout: 30_000, interval: 5 }).toBe(0);

    expect(faults).toBeGreaterThan(0);
    const letters = await queue.deadLetters.list();
    expect(inOrder(letters.map(({ payload }) => Number(payload)))).toEqual(ids.filter(isFailing));
    const first = [...new Set(handled)];
    expect(inOrder(first)).toEqual(ids.filter((id) => !isFailing(id)));
    for (let key = 0; key < KEYS; key += 1) {
      const ofKey = first.filter((id) => id % KEYS === key);
      expect(ofKey).toEqual(inOrder(ofKey));
    }
  },
);
