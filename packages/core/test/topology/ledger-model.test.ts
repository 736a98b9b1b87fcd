import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DrivenLedger } from "../support/driven-ledger.ts";
import {
  BRANCH_STEPS,
  GROUP_STEPS,
  LedgerModel,
  MESSAGE_STEPS,
  type Step,
  type StepName,
} from "../support/ledger-model.ts";

/** Steps that are not the ledger's to refuse: whoever takes them knows that they are due. */
const UNCHECKED = new Set<StepName>([...GROUP_STEPS, "acknowledge early", "take early", "retract"]);

function stepsOver(messages: number): Step[] {
  const indexes = Array.from({ length: messages }, (_, index) => index);
  return [
    ...indexes.flatMap((message) => [
      ...MESSAGE_STEPS.map((name) => ({ do: name, message, branch: 0 })),
      ...BRANCH_STEPS.flatMap((name) => [0, 1].map((branch) => ({ do: name, message, branch }))),
    ]),
    ...GROUP_STEPS.map((name) => ({ do: name, message: 0, branch: 0 })),
  ];
}

/** Does a step to both; the ledger must refuse what the model holds illegal, and then be as it was. */
function doBoth(ledger: DrivenLedger, model: LedgerModel, step: Step): boolean {
  const legal = model.clone().do(step);
  const { branches = [] } = model.messages[step.message] ?? {};
  if (branches.length === 1 && step.branch === 1) return false;
  if (!legal && UNCHECKED.has(step.do)) return false;
  const { violations } = ledger;
  const done = ledger.do(step);
  if (done !== legal || ledger.violations !== violations + (legal ? 0 : 1)) {
    throw new Error(`The ledger ${done ? "took" : "refused"} ${JSON.stringify(step)}.`);
  }
  if (legal) model.do(step);
  return legal;
}

describe("Ledger", () => {
  it(
    "does what its model does for every sequence of eight steps over two messages with up to two branches",
    { timeout: 60_000 },
    () => {
      const sizes = [3, 5];
      const steps = stepsOver(sizes.length);
      const replay = (path: readonly Step[]): [DrivenLedger, LedgerModel] => {
        const [ledger, model] = [new DrivenLedger(sizes), new LedgerModel(sizes)];
        for (const step of path) {
          ledger.do(step);
          model.do(step);
        }
        return [ledger, model];
      };
      const seen = new Set<string>([new LedgerModel(sizes).print]);
      let front: Step[][] = [[]];
      for (let depth = 0; depth < 8; depth++) {
        const next: Step[][] = [];
        for (const path of front) {
          const [ledger, model] = replay(path);
          for (const step of steps) if (!model.clone().do(step)) doBoth(ledger, model, step);
          ledger.expectLike(model);
          for (const step of steps) {
            const after = model.clone();
            if (!after.do(step)) continue;
            const [reached] = replay([...path, step]);
            reached.expectLike(after);
            // What leads to the same state has the same future: one sequence stands for all.
            if (seen.has(after.print)) continue;
            seen.add(after.print);
            next.push([...path, step]);
          }
        }
        front = next;
      }
      expect(seen.size).toBeGreaterThan(10_000);
    },
  );

  it("does what its model does for random sequences of 200 steps over five messages", () => {
    const sizes = [1, 2, 4, 8, 0];
    const all = stepsOver(sizes.length);
    const run = (): void =>
      fc.assert(
        fc.property(fc.array(fc.nat(), { minLength: 200, maxLength: 200 }), (picks) => {
          const [ledger, model] = [new DrivenLedger(sizes), new LedgerModel(sizes)];
          for (const pick of picks) {
            // Mostly a legal step: the way to the deep states is narrow.
            const legal = all.filter((step) => model.clone().do(step));
            const choice = pick % 4 === 0 || legal.length === 0 ? all : legal;
            doBoth(ledger, model, choice[(pick >> 2) % choice.length] as Step);
            ledger.expectLike(model);
          }
        }),
        { numRuns: 50 },
      );
    expect(run).not.toThrow();
  });

  it("comes back to nothing from wherever it is, once all is settled and acknowledged", () => {
    const sizes = [3, 5];
    const all = stepsOver(sizes.length);
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 40 }), (picks) => {
        const [ledger, model] = [new DrivenLedger(sizes), new LedgerModel(sizes)];
        for (const pick of picks) doBoth(ledger, model, all[pick % all.length] as Step);
        for (const name of ["release", "take early", "take", "forget", "forget"] as const) {
          for (const message of [0, 1]) doBoth(ledger, model, { do: name, message, branch: 0 });
        }
        while (model.groups.length > 0) {
          doBoth(ledger, model, { do: "forget", message: 0, branch: 0 });
        }
        ledger.expectLike(model);
        expect(model.messages.map(({ account }) => account)).toEqual(["gone", "gone"]);
      }),
    );
  });
});
