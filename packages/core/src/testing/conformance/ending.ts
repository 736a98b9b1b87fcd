import assert from "node:assert/strict";
import { assertSame, type Scenario } from "./scenario.ts";

/** How a source ends. */
export const ending: readonly Scenario[] = [
  {
    title: "ends for good once everything has been handed over and settled",
    needs: ["finite"],
    async run(trial) {
      const sent = await trial.send(25);
      await trial.finish();
      const session = await trial.open();
      const taken = await session.takeToTheEnd();
      assertSame(session.values(taken), sent, "what came before the end");
      assert.equal(await session.pull(), null, "something came after the end");
      assert.equal(await session.pull(), null, "something came after the end");
    },
  },
  {
    title: "ends at once if nothing was ever sent",
    needs: ["finite"],
    async run(trial) {
      await trial.finish();
      const session = await trial.open();
      assertSame(session.values(await session.takeToTheEnd()), [], "what came before the end");
    },
  },
  {
    title: "ends while a pull waits, or wakes the pipeline to see that it has ended",
    needs: ["finite", "live"],
    async run(trial) {
      await trial.send(3);
      const session = await trial.open();
      const ended = session.takeToTheEnd();
      await trial.time.pass(10);
      await trial.finish();
      assert.equal((await ended).length, 3);
    },
  },
  {
    title: "does not end before what may come again has been settled",
    needs: ["finite", "redelivery"],
    async run(trial) {
      const sent = await trial.send(4);
      await trial.finish();
      const first = await trial.open();
      await first.take(4);
      assertSame(first.values(await first.abortedPull()), [], "what else came");
      await first.close();
      await trial.expire();
      const second = await trial.open();
      assertSame(second.values(await second.takeToTheEnd()), sent, "what came before the end");
    },
  },
];
