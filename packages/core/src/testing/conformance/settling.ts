import assert from "node:assert/strict";
import type { Outcome } from "../../acknowledger.ts";
import { assertSame, type Scenario } from "./scenario.ts";
import type { Trial } from "./trial.ts";

const outcomes: readonly Outcome[] = ["succeeded", "dropped", "deadLettered"];

/** What the next session is given. */
async function comesAgain(trial: Trial): Promise<string[]> {
  await trial.expire();
  const session = await trial.open();
  const taken = session.values(await session.takeAll());
  await session.close();
  return taken;
}

/** What a source makes of acknowledgements. */
export const settling: readonly Scenario[] = [
  {
    title: "takes acknowledgements in any order and any grouping",
    needs: [],
    async run(trial) {
      await trial.send(30);
      const session = await trial.open();
      const waiting = trial.shuffled(await session.take(30));
      while (waiting.length > 0) {
        const group = waiting.splice(0, 1 + trial.random(7));
        assert.equal(
          (await session.acknowledge(group)).length,
          0,
          "an acknowledgement was refused",
        );
      }
      await trial.assertEmpty();
      await session.close();
      assertSame(await comesAgain(trial), [], "what came again");
    },
  },
  {
    title: "takes what was dropped or dead-lettered for done",
    needs: [],
    async run(trial) {
      await trial.send(6);
      const session = await trial.open();
      const taken = await session.take(6);
      await session.settle(
        taken.map((incoming, index) => ({ incoming, outcome: outcomes[index % 3] as Outcome })),
      );
      await trial.assertEmpty();
      await session.close();
      assertSame(await comesAgain(trial), [], "what came again");
    },
  },
  {
    title: "takes several acknowledgements at once",
    needs: [],
    async run(trial) {
      await trial.send(12);
      const session = await trial.open();
      const taken = await session.take(12);
      const groups = [taken.slice(0, 1), taken.slice(1, 6), taken.slice(6)];
      await Promise.all(groups.map((group) => session.acknowledge(group)));
      await trial.assertEmpty();
      await session.close();
      assertSame(await comesAgain(trial), [], "what came again");
    },
  },
  {
    title: "tells messages that failed from those that are done",
    needs: ["failed"],
    async run(trial) {
      await trial.send(6);
      const session = await trial.open();
      const taken = await session.take(6);
      await session.settle(
        taken.map((incoming, index) => ({
          incoming,
          outcome: index % 2 === 0 ? "succeeded" : "failed",
        })),
      );
      const failed = session.values(taken.filter((_, index) => index % 2 === 1));
      await session.close();
      if (trial.features.failed === "again") {
        assertSame(await comesAgain(trial), failed, "what came again");
      } else {
        await trial.assertEmpty();
        assertSame(await comesAgain(trial), [], "what came again");
      }
    },
  },
  {
    title: "says which acknowledgements it refused, and takes the others",
    needs: ["refusal"],
    async run(trial) {
      const sent = await trial.send(5);
      const session = await trial.open();
      const taken = await session.take(5);
      await trial.refuse(sent.slice(1, 3));
      const refused = await session.acknowledge(taken);
      const values = session.values(refused.map(({ incoming }) => incoming));
      assertSame(values, sent.slice(1, 3), "what was refused");
      await session.close();
      if (trial.features.redelivery !== true) return;
      assertSame(await comesAgain(trial), sent.slice(1, 3), "what came again");
    },
  },
  {
    title: "takes at another try what it refused",
    needs: ["refusal"],
    async run(trial) {
      const sent = await trial.send(3);
      const session = await trial.open();
      const taken = await session.take(3);
      await trial.refuse(sent.slice(0, 1));
      const refused = await session.acknowledge(taken);
      const again = await session.acknowledge(refused.map(({ incoming }) => incoming));
      assert.equal(again.length, 0, "it was refused again");
      await trial.assertEmpty();
    },
  },
  {
    title: "takes acknowledgements after it was drained",
    needs: [],
    async run(trial) {
      await trial.send(4);
      const session = await trial.open();
      const taken = await session.take(4);
      await session.drain();
      assert.equal((await session.acknowledge(taken)).length, 0, "an acknowledgement was refused");
      await trial.assertEmpty();
      await session.close();
      assertSame(await comesAgain(trial), [], "what came again");
    },
  },
];
