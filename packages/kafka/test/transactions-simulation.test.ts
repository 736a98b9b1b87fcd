import fc from "fast-check";
import { expect, it } from "vitest";
import type { Fault } from "./support/simulation/cluster.ts";
import { fates } from "./support/simulation/fates.ts";
import { sceneWith } from "./support/simulation/scene.ts";
import { startTransactional, type Written } from "./support/simulation/transactional.ts";

const RUNS = Number(process.env["WESTEND_PROPERTY_RUNS"] ?? 60);
const PATIENCE = Math.max(60_000, RUNS * 50);
const PARTITIONS = 2;
const FAULTS: readonly Fault[] = ["fails", "fails afterwards", "is answered late", "is refused"];

const histories = fc.record({
  seed: fc.nat(2 ** 31),
  steps: fc.array(
    fc.record({
      does: fc.constantFrom("append", "append", "wait", "wait", "move", "seize", "spoil"),
      partition: fc.nat(PARTITIONS - 1),
      which: fc.nat(1),
      amount: fc.nat(7),
    }),
    { minLength: 5, maxLength: 60, size: "max" },
  ),
});

it(
  "what messages give rise to in transactions is written once, whatever becomes of transactions and partitions",
  async () => {
    await fc.assert(
      fc.asyncProperty(histories, async ({ seed, steps }) => {
        const scene = sceneWith(PARTITIONS);
        const { clock, cluster, group, under } = scene;
        const chances = fates(seed);
        const written: Written = [];
        for (const _ of [0, 1]) await startTransactional(scene, written, chances.fate);
        for (const { does, partition, which, amount } of steps) {
          const member = group.members[which]!;
          if (does === "append") cluster.append(partition, amount);
          if (does === "wait") await clock.advance(2 ** amount * 10);
          if (does === "move") under(group.move(partition, member));
          if (does === "seize") under(group.seize(partition, member, amount * 300));
          if (does === "spoil") cluster.spoil("transaction", FAULTS[amount % FAULTS.length]!);
          await clock.settle();
        }
        chances.calm();
        expect(await scene.verdict()).toEqual([]);
        const expected = cluster.logs.flatMap(({ offsets }, partition) =>
          offsets.map((offset) => `${partition}:${offset}`),
        );
        expect(written.toSorted()).toEqual(expected.toSorted());
      }),
      { numRuns: RUNS },
    );
  },
  PATIENCE,
);
