import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { assertInOrder, assertSame, type Scenario } from "./scenario.ts";
import type { Handed } from "./session.ts";

/** What a pull gives. */
export const taking: readonly Scenario[] = [
  {
    title: "hands over what was sent, each message once",
    needs: [],
    async run(trial) {
      const sent = await trial.send(20);
      const session = await trial.open();
      const taken = await session.take(20, 7);
      assertSame(session.values(taken), sent, "what was handed over");
      assert.equal(new Set(taken).size, 20, "the same object was handed over twice");
      assertSame(session.values(await session.takeAll()), [], "what else came");
    },
  },
  {
    title: "never gives more than it is asked for",
    needs: [],
    async run(trial) {
      const sent = await trial.send(60);
      const session = await trial.open();
      const taken: Handed[] = [];
      while (taken.length < sent.length) {
        const demand = Math.min(1 + trial.random(9), sent.length - taken.length);
        taken.push(...(await session.take(demand)));
      }
      assertSame(session.values(taken), sent, "what was handed over");
    },
  },
  {
    title: "hands messages over in the order in which they were sent",
    needs: ["order"],
    async run(trial) {
      const sent = await trial.send(40);
      const session = await trial.open();
      assertInOrder(session.values(await session.take(40, 7)), sent, "what was handed over");
    },
  },
  {
    title: "keeps to the bytes it is asked for, but gives one message at least",
    needs: ["sizes"],
    async run(trial) {
      await trial.send(20);
      const session = await trial.open();
      const size = ({ size, payload }: Handed): number =>
        size ?? (payload as string | Uint8Array).length;
      const [first, ...more] = await session.some({ messages: 10, bytes: 1 });
      assert.ok(first !== undefined, "nothing came for a demand of one byte");
      assert.equal(more.length, 0, "several messages came for a demand of one byte");
      const bytes = size(first) * 4;
      const pulled = await session.some({ messages: 10, bytes });
      assert.ok(pulled.length > 0, `nothing came for a demand of ${bytes} bytes`);
      const sum = pulled.reduce((total, message) => total + size(message), 0);
      assert.ok(sum <= bytes, `${sum} bytes came for a demand of ${bytes}`);
    },
  },
  {
    title: "gives messages the key they were sent with",
    needs: ["key"],
    async run(trial) {
      const a = await trial.send(2, { key: "a" });
      await trial.send(2, { key: "b" });
      const session = await trial.open();
      for (const message of await session.take(4, 1)) {
        const [value] = session.values([message]);
        const expected = a.includes(value ?? "") ? "a" : "b";
        assert.equal(message.key, expected, `the key of ${value}`);
        // Behind a message of its key another one may not come before that is settled.
        await session.acknowledge([message]);
      }
    },
  },
  {
    title: "gives nothing, and does not end, while there is nothing",
    needs: ["live"],
    async run(trial) {
      const session = await trial.open();
      assertSame(session.values(await session.abortedPull()), [], "what came");
    },
  },
  {
    title: "gives what is sent while a pull waits, or wakes the pipeline",
    needs: ["live"],
    async run(trial) {
      const session = await trial.open();
      const taking = session.take(3);
      await trial.time.pass(10);
      const sent = await trial.send(3);
      assertSame(session.values(await taking), sent, "what was handed over");
    },
  },
  {
    title: "settles a pull soon after it was aborted",
    needs: ["live"],
    async run(trial) {
      await trial.send(3);
      const session = await trial.open();
      await session.acknowledge(await session.take(3));
      assertSame(session.values(await session.abortedPull()), [], "what came");
    },
  },
  {
    title: "loses nothing that is sent while a pull is aborted",
    needs: ["live"],
    async run(trial) {
      let sent: string[] = [];
      const first = await trial.open();
      const pulled = await first.pullAbortedBy(async () => {
        sent = await trial.send(3);
      });
      await first.acknowledge(pulled);
      await first.close();
      const second = await trial.open();
      const rest = await second.takeAll();
      assertSame(
        [...first.values(pulled), ...second.values(rest)],
        sent,
        "what the aborted pull and the next session gave",
      );
    },
  },
  {
    title: "leaves nothing behind on the signal of its pulls",
    needs: [],
    async run(trial) {
      await trial.send(40);
      const session = await trial.open();
      const listeners: number[] = [];
      for (let pulls = 0; pulls < 40; pulls++) {
        await session.take(1);
        listeners.push(getEventListeners(session.signal, "abort").length);
      }
      const [early = 0, late = 0] = [listeners[9], listeners[39]];
      assert.ok(late <= early, `${late - early} listeners were added by 30 pulls`);
    },
  },
];
