import type { Fate } from "./member.ts";
import { sceneWith } from "./scene.ts";

/** What can come next to the only partition of a group of two. */
export const moves = [
  "the next thing happens",
  "it comes back to its owner",
  "it goes to the other one",
  "it is seized by the other one",
] as const;
export type Move = (typeof moves)[number];

const RECORDS = 4;

/** All sequences of so many. */
export function* movesOf(length: number): Generator<Move[]> {
  if (length === 0) yield [];
  else for (const before of movesOf(length - 1)) for (const move of moves) yield [...before, move];
}

/** Plays them from when the first handler runs, each as soon as nothing but time is waited for; what went wrong. */
export async function playMoves(seed: number, sequence: readonly Move[]): Promise<string[]> {
  const scene = sceneWith(1);
  const { clock, cluster, group, oracle, under } = scene;
  const fate = courses(seed);
  const members = [await scene.start({ fate }), await scene.start({ fate })] as const;
  cluster.append(0, RECORDS);
  group.assign(0, members[0]);
  while (members[0].source.partitions()[0]?.inFlight !== RECORDS) await clock.next();
  for (const move of sequence) {
    const { owner } = cluster.seat(0);
    const [mine, other] = owner === members[1].driver ? [members[1], members[0]] : members;
    if (move === "the next thing happens") await clock.next();
    else if (move === "it comes back to its owner") under(group.move(0, mine));
    else if (move === "it goes to the other one") under(group.move(0, other));
    else under(group.seize(0, other, 10));
    await clock.settle();
  }
  const problems = await scene.verdict();
  const inGoodOrder = !sequence.includes("it is seized by the other one");
  // Who gives a partition away in good order has time to end what runs, and to commit it.
  if (inGoodOrder && oracle.repeated.length > 0) problems.push(`repeats ${oracle.repeated.join()}`);
  return problems;
}

/** Messages take turns at ending at once and at going the whole way: failing, going into a batch, failing there. */
function courses(seed: number): (partition: number, offset: number, stage: string) => Fate {
  const attempts = new Map<string, number>();
  return (_, offset, stage) => {
    const attempt = attempts.get(`${stage} ${offset}`) ?? 0;
    attempts.set(`${stage} ${offset}`, attempt + 1);
    const after = 20 * seed + offset;
    if ((offset + seed) % 2 === 0) return { after, end: "succeeds" };
    if (attempt === 0) return { after, end: "fails" };
    return { after, end: stage === "processor" ? "goes on" : "succeeds" };
  };
}
