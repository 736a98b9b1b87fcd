import { describe, expect, it } from "vitest";
import type { Fate } from "./support/simulation/member.ts";
import { type Scene, sceneWith } from "./support/simulation/scene.ts";

/** Milliseconds after its beginning at which the partition is taken away, and how long handlers may then take. */
const TAKEN = 100;
const GRACE = 200;
/** Of the handler of the second ownership. */
const FRESH = 150;

/** Ways to leave and come back. */
const ways: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "in good order": ({ group }) => group.move(0, group.members[0]!),
  "having been with another one": async ({ group }) => {
    await group.move(0, group.members[1]!);
    await group.move(0, group.members[0]!);
  },
  "having been lost": async ({ group }) => {
    await group.seize(0, group.members[1]!, 20);
    await group.move(0, group.members[0]!);
  },
};

const ends: readonly Fate["end"][] = ["succeeds", "fails", "goes on", "is acknowledged before"];

/** The handler of the first ownership takes this long; plays on until all has ended. */
async function comeBack(
  stale: Fate,
  way: (scene: Scene) => Promise<void>,
): Promise<{ problems: string[]; attempts: number }> {
  const scene = sceneWith(1);
  const { clock, cluster, group, under } = scene;
  let attempts = 0;
  const fate = (): Fate => (attempts++ === 0 ? stale : { after: FRESH, end: "succeeds" });
  const first = await scene.start({ fate, revokeTimeout: GRACE });
  await scene.start({ fate, revokeTimeout: GRACE });
  cluster.append(0, 1);
  group.assign(0, first);
  await clock.advance(TAKEN);
  under(way(scene));
  await clock.advance(TAKEN + GRACE + FRESH + stale.after);
  return { problems: await scene.verdict(), attempts };
}

describe("a partition that comes back to its member while a handler of before still runs", () => {
  for (const [name, way] of Object.entries(ways)) {
    it(`${name}, counts the ends of what it handed over since, and those alone`, async () => {
      for (const end of ends) {
        // Before it is taken away, while it is, between the ownerships, beside the fresh handler, and after all.
        for (let after = 10; after <= 800; after += 20) {
          const { problems } = await comeBack({ after, end }, way);
          expect({ after, end, problems }).toEqual({ after, end, problems: [] });
        }
      }
    });
  }

  it("handles again what ended too late, and only that", async () => {
    const inTime = await comeBack({ after: TAKEN + 50, end: "succeeds" }, ways["in good order"]!);
    expect(inTime.attempts).toBe(1);
    const tooLate = await comeBack({ after: 700, end: "succeeds" }, ways["in good order"]!);
    expect(tooLate.attempts).toBe(2);
  });
});
