import fc, { type Arbitrary } from "fast-check";
import type { Call, Fault } from "./cluster.ts";
import { fates } from "./fates.ts";
import type { SimulatedMember } from "./member.ts";
import { type Scene, sceneWith } from "./scene.ts";

const STEPS = [
  "append",
  "wait",
  "move",
  "seize",
  "rejoin",
  "start",
  "stop",
  "kill",
  "spoil",
  "pause",
  "seek",
  "trim",
] as const;
const CALLS: readonly Call[] = ["poll", "commit", "committed", "offsets", "leaders"];
const FAULTS: readonly Fault[] = [
  "fails",
  "fails afterwards",
  "comes late",
  "is answered late",
  "is refused",
];
const WAITS = [0, 1, 3, 20, 50, 100, 200, 500, 2000, 5000] as const;
const PARTITIONS = 2;
const MEMBERS = 3;

export interface Step {
  readonly does: (typeof STEPS)[number];
  readonly partition: number;
  readonly which: number;
  readonly amount: number;
}

/** What happens to a group, one thing after the other. */
export interface Scenario {
  readonly seed: number;
  readonly steps: readonly Step[];
  /** Where members begin: what is there before it must not be passed over by those that come later. */
  readonly from: "earliest" | "latest";
  /** Brokers fail, and logs are cut off. */
  readonly rough: boolean;
}

export const scenarios: Arbitrary<Scenario> = fc.record({
  seed: fc.nat(2 ** 31),
  rough: fc.boolean(),
  from: fc.constantFrom("earliest", "latest"),
  steps: fc.array(
    fc.record({
      does: fc.constantFrom(...STEPS),
      partition: fc.nat(PARTITIONS - 1),
      which: fc.nat(11),
      amount: fc.nat(WAITS.length - 1),
    }),
    { minLength: 10, maxLength: 200, size: "max" },
  ),
});

/** Plays it to its end in virtual time; what went wrong. */
export async function play({ seed, steps, from, rough }: Scenario): Promise<string[]> {
  const scene = sceneWith(PARTITIONS);
  const { clock, group } = scene;
  const chances = fates(seed);
  const start = (): Promise<unknown> => scene.start({ fate: chances.fate, from, maxAhead: 12 });
  const first = await scene.start({ fate: chances.fate, from, maxAhead: 12 });
  for (const { partition } of group.places) group.assign(partition, first);
  // By now it has begun everywhere: what is written from here on is for the group.
  await clock.advance(1000);
  for (const step of steps) {
    const member = group.members[step.which % Math.max(1, group.members.length)];
    if (step.does === "start" && group.members.length < MEMBERS) await start();
    else if (step.does === "trim" && from === "latest") continue;
    else if (member !== undefined) await take(scene, step, member, rough);
    await clock.settle();
  }
  chances.calm();
  if (group.members.length === 0) await start();
  return scene.verdict();
}

async function take(
  { clock, cluster, group, oracle, under }: Scene,
  { does, partition, which, amount }: Step,
  member: SimulatedMember,
  rough: boolean,
): Promise<void> {
  const where = group.place(partition);
  const log = cluster.log(partition);
  switch (does) {
    case "append":
      if (amount < 2) log.skip(amount + 1);
      return cluster.append(partition, amount);
    case "wait":
      return clock.advance(WAITS[amount] as number);
    case "move":
      return under(group.move(partition, member));
    case "seize":
      return under(group.seize(partition, member, amount * 300));
    case "rejoin":
      return under(group.rejoin(partition, amount * 50));
    case "stop":
      return amount < 2 ? under(group.stop(member)) : undefined;
    case "kill":
      return amount < 2 ? under(group.kill(member)) : undefined;
    case "pause":
      return amount < 5 ? member.source.pause([where]) : member.source.resume([where]);
    case "spoil":
      if (!rough) return;
      return cluster.spoil(
        CALLS[which % CALLS.length] as Call,
        FAULTS[amount % FAULTS.length] as Fault,
      );
    case "trim":
      if (!rough || amount > 1) return;
      oracle.moved(partition);
      return log.trim(log.start + which);
    case "seek": {
      if (amount > 2) return;
      oracle.moved(partition);
      const handled = oracle.handled[partition] as ReadonlySet<number>;
      // What is passed over on purpose would not be missed.
      const open = log.offsets.find((offset) => !handled.has(offset)) ?? log.end;
      const offset = Math.max(log.start, Math.min(which * 2, open));
      // Who does not have it refuses.
      return void member.source.seek(where, BigInt(offset)).catch(() => undefined);
    }
    case "start":
  }
}
