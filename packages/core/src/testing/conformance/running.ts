import assert from "node:assert/strict";
import type { RunningPipeline } from "../../running-pipeline.ts";
import type { StopReport } from "../../report.ts";
import { Resources } from "./resources.ts";
import { assertSame, type Scenario } from "./scenario.ts";
import type { Trial } from "./trial.ts";

/** Milliseconds in which a pipeline with nothing to do has to stop. */
const SOON = 1000;

async function stopped(trial: Trial, running: RunningPipeline): Promise<StopReport> {
  const report = await trial.time.settled(running.stop(), "the stop of a pipeline");
  const { received, succeeded, failed, deadLettered, dropped, released, abandoned } = report;
  const sum = succeeded + failed + deadLettered + dropped + released + abandoned;
  assert.equal(sum, received, "the parts of the report do not add up");
  return report;
}

/** What a pipeline makes of the producer. */
export const running: readonly Scenario[] = [
  {
    title: "feeds a pipeline, each message once",
    needs: [],
    async run(trial) {
      const sent = await trial.send(50);
      const handled: string[] = [];
      const pipeline = await trial.start({
        handle: async ({ data }) => void handled.push(trial.textOf(data)),
      });
      await trial.time.until(() => handled.length >= 50, "the last of 50 messages");
      const report = await stopped(trial, pipeline);
      assertSame(handled, sent, "what was handled");
      assert.equal(report.succeeded, 50);
      await trial.assertEmpty();
    },
  },
  {
    title: "ends the pipeline when it has come to its end",
    needs: ["finite"],
    async run(trial) {
      await trial.send(20);
      await trial.finish();
      const pipeline = await trial.start({ async handle() {} });
      const report = await trial.time.settled(pipeline.done, "the end of the pipeline");
      assert.equal(report.succeeded, 20);
    },
  },
  {
    title: "loses nothing when a pipeline is stopped in the middle",
    needs: ["reopen"],
    async run(trial) {
      const { clock } = trial.time;
      const sent = await trial.send(40);
      const handled: string[] = [];
      const start = (): Promise<RunningPipeline> =>
        trial.start({
          concurrency: 2,
          async handle({ data }) {
            await new Promise<void>((resolve) => clock.setTimer(resolve, 10));
            handled.push(trial.textOf(data));
          },
        });
      const first = await start();
      await trial.time.until(() => handled.length >= 6, "the sixth message");
      await stopped(trial, first);
      const second = await start();
      await trial.time.until(() => handled.length >= 40, "the last of 40 messages");
      await stopped(trial, second);
      assertSame(handled, sent, "what both runs handled");
      await trial.assertEmpty();
    },
  },
  {
    title: "takes back from a pipeline what failed",
    needs: ["failed"],
    async run(trial) {
      const [bad = "", ...good] = await trial.send(4);
      const handled: string[] = [];
      let failures = 0;
      const pipeline = await trial.start({
        async handle({ data }) {
          const value = trial.textOf(data);
          if (value === bad && failures++ === 0) throw new Error("It failed.");
          handled.push(value);
        },
      });
      const settled = (): boolean => {
        const { failed, succeeded, inFlight } = pipeline.stats();
        return failed === 1 && succeeded >= 3 && inFlight === 0;
      };
      await trial.time.until(settled, "the settlement of 4 messages");
      if (trial.features.failed === "again") {
        await trial.expire();
        await trial.time.until(() => handled.includes(bad), "the message that failed");
      }
      await stopped(trial, pipeline);
      assertSame(handled, failures > 1 ? [bad, ...good] : good, "what was handled");
      await trial.assertEmpty();
    },
  },
  {
    title: "lets a pipeline go on after a pull that failed",
    needs: ["recovery", "live"],
    async run(trial) {
      const handled: string[] = [];
      const pipeline = await trial.start({
        handle: async ({ data }) => void handled.push(trial.textOf(data)),
      });
      const before = await trial.send(5);
      await trial.time.until(() => handled.length >= 5, "the fifth message");
      await trial.break();
      const after = await trial.send(5);
      await trial.time.until(() => handled.length >= 10, "the tenth message");
      await stopped(trial, pipeline);
      assertSame(handled, [...before, ...after], "what was handled");
      await trial.assertEmpty();
    },
  },
  {
    title: "feeds a pipeline from two sessions, each message once",
    needs: ["sessions"],
    async run(trial) {
      const sent = await trial.send(60);
      const handled: string[] = [];
      const pipeline = await trial.start(
        { handle: async ({ data }) => void handled.push(trial.textOf(data)) },
        { concurrency: 2 },
      );
      await trial.time.until(() => handled.length >= 60, "the last of 60 messages");
      await stopped(trial, pipeline);
      assertSame(handled, sent, "what was handled");
      await trial.assertEmpty();
    },
  },
  {
    title: "lets a pipeline with nothing to do stop soon",
    needs: ["live"],
    async run(trial) {
      const pipeline = await trial.start({ handle() {} });
      await trial.time.pass(10);
      const began = trial.time.clock.now();
      await stopped(trial, pipeline);
      const took = trial.time.clock.now() - began;
      assert.ok(took <= SOON, `it took ${took} ms`);
    },
  },
  {
    title: "leaves no timer and no handle behind",
    needs: [],
    async run(trial) {
      const resources = new Resources();
      await resources.during(async () => {
        await trial.send(10);
        const session = await trial.open();
        await session.acknowledge(await session.take(4));
        await session.drain();
        await session.close();
        trial.endRun();
      });
      assert.equal(trial.virtual?.timers ?? 0, 0, "timers of the clock are set");
      await trial.time.within(SOON, () => resources.left().length === 0);
      const left = resources.left().join(", ");
      assert.equal(left, "", `resources of the process are in use: ${left}`);
    },
  },
];
