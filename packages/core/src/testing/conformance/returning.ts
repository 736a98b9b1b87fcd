import assert from "node:assert/strict";
import { assertInOrder, assertSame, type Scenario } from "./scenario.ts";
import type { Handed, TrialSession } from "./session.ts";

/** Fails unless these are the values, in this order if the source keeps it. */
function assertCame(
  session: TrialSession,
  taken: readonly Handed[],
  expected: readonly string[],
  ordered: boolean | undefined,
): void {
  const values = session.values(taken);
  if (ordered === true) assertInOrder(values, expected, "what came again");
  else assertSame(values, expected, "what came again");
}

const attempts = (taken: readonly Handed[]): number[] => taken.map(({ attempt }) => attempt ?? 1);

/** What comes again, where, and when. */
export const returning: readonly Scenario[] = [
  {
    title: "hands over again what was never acknowledged",
    needs: ["redelivery"],
    async run(trial) {
      const sent = await trial.send(10);
      const first = await trial.open();
      const taken = await first.take(6);
      const done = first.values(taken.slice(2, 4));
      await first.acknowledge(taken.slice(2, 4));
      await first.close();
      await trial.expire();
      const second = await trial.open();
      const rest = sent.filter((value) => !done.includes(value));
      assertCame(second, await second.takeAll(), rest, trial.features.order);
    },
  },
  {
    title: "counts how often it has handed a message over",
    needs: ["redelivery", "attempts"],
    async run(trial) {
      await trial.send(3);
      for (const attempt of [1, 2, 3]) {
        const session = await trial.open();
        for (const counted of attempts(await session.take(3))) {
          assert.equal(counted, attempt, `attempt is ${counted} at delivery ${attempt}`);
        }
        await session.close();
        await trial.expire();
      }
    },
  },
  {
    title: "hands over again at once what was released",
    needs: ["release"],
    async run(trial) {
      const sent = await trial.send(8);
      const first = await trial.open();
      const taken = await first.take(8);
      const kept = taken.filter((_, index) => index % 2 === 0);
      const released = taken.filter((_, index) => index % 2 === 1);
      await first.drain();
      await first.release(released);
      await first.acknowledge(kept);
      await first.close();
      const second = await trial.open();
      const again = await second.take(4);
      const values = first.values(released);
      const expected = sent.filter((value) => values.includes(value));
      assertCame(second, again, expected, trial.features.order);
      if (trial.features.attempts === true) {
        const counted = attempts(again).every((attempt) => attempt === 1);
        assert.ok(counted, "a release counted as an attempt");
      }
      assertSame(second.values(await second.takeAll()), [], "what else came");
    },
  },
  {
    title: "never gives one message to two sessions",
    needs: ["sessions"],
    async run(trial) {
      const sent = await trial.send(40);
      const sessions = [await trial.open(0), await trial.open(1)] as const;
      const taken: [Handed[], Handed[]] = [[], []];
      const count = (): number => taken[0].length + taken[1].length;
      for (let turn = 0; count() < 40; turn++) {
        const which = turn % 2 === 0 ? 0 : 1;
        const messages = Math.min(1 + trial.random(3), 40 - count());
        const pulled = (await sessions[which].pull({ messages })) ?? [];
        taken[which].push(...pulled);
        assert.ok(turn < 1000, `only ${count()} of 40 messages came`);
        if (pulled.length === 0) await trial.time.pass(10);
      }
      const values = taken.flatMap((messages, index) =>
        sessions[index === 0 ? 0 : 1].values(messages),
      );
      assertSame(values, sent, "what both were given");
      for (const which of [0, 1] as const) await sessions[which].acknowledge(taken[which]);
      await trial.assertEmpty();
    },
  },
  {
    title: "gives to others what a session that was closed has left",
    needs: ["sessions", "redelivery"],
    async run(trial) {
      const sent = await trial.send(5);
      const [first, second] = [await trial.open(0), await trial.open(1)];
      await first.take(5);
      await first.close();
      await trial.expire();
      assertSame(second.values(await second.take(5)), sent, "what the other was given");
    },
  },
  {
    title: "keeps what is extended beyond its lease",
    needs: ["lease", "sessions"],
    async run(trial) {
      await trial.send(2);
      const [first, second] = [await trial.open(0), await trial.open(1)];
      const taken = await first.take(2);
      const { session } = first;
      const { lease } = session;
      assert.ok(lease !== undefined, "the session says no lease");
      for (let third = 0; third < 4; third++) {
        await trial.time.pass((lease * 2) / 3);
        await trial.time.settled(session.extend?.(taken, lease), "extend()");
      }
      assertSame(second.values(await second.abortedPull()), [], "the other was given");
      assert.equal((await first.acknowledge(taken)).length, 0, "an acknowledgement was refused");
      await trial.assertEmpty();
    },
  },
  {
    title: "loses nothing by a pull that failed",
    needs: ["recovery"],
    async run(trial) {
      const sent = await trial.send(6);
      const first = await trial.open();
      const taken = await first.take(2);
      await first.acknowledge(taken);
      await trial.break();
      await assert.rejects(async () => first.pull(), "the pull did not fail");
      await first.close();
      const second = await trial.open();
      const rest = await second.take(4);
      assertSame([...first.values(taken), ...second.values(rest)], sent, "what came in all");
    },
  },
  {
    title: "goes on in the next run where the last one stopped",
    needs: ["reopen"],
    async run(trial) {
      const sent = await trial.send(6);
      const first = await trial.open();
      const taken = await first.take(3);
      await first.acknowledge(taken);
      await first.drain();
      await first.close();
      trial.endRun();
      const second = await trial.open();
      const rest = await second.takeAll();
      assertSame([...first.values(taken), ...second.values(rest)], sent, "what came in all");
    },
  },
];
