import type { Settings } from "./workload.ts";

/** One of the things that are compared; does so many messages, checks its ground truth, and gives the milliseconds it took. */
export interface Contender {
  readonly name: string;
  run(messages: number): Promise<number>;
}

/** What each contender did in each round, in messages a second. */
export type Rates = ReadonlyMap<string, readonly number[]>;

export interface Limits {
  /** The most messages in a run. */
  readonly most: number;
  /** The least, whatever it takes. */
  readonly least?: number | undefined;
}

/** Rounds after warm-up, and how long one run is to take. */
export function effort({ quick }: Settings): {
  readonly rounds: number;
  readonly milliseconds: number;
} {
  return quick ? { rounds: 5, milliseconds: 80 } : { rounds: 7, milliseconds: 300 };
}

/**
 * A B C, A B C, …: each round has one run of each, so that whatever disturbs the machine disturbs all of them.
 * Each does as many messages as it can in about the same time: some are a hundred times slower than others.
 */
export async function interleave(
  contenders: readonly Contender[],
  settings: Settings,
  limits: Limits,
): Promise<Rates> {
  const { rounds, milliseconds } = effort(settings);
  const sizes = new Map<string, number>();
  for (const contender of contenders) {
    sizes.set(contender.name, await warmUp(contender, milliseconds, limits));
  }
  const rates = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    // Nobody always comes after the same one.
    const order = round % 2 === 0 ? contenders : contenders.toReversed();
    for (const contender of order) {
      const messages = sizes.get(contender.name) ?? limits.most;
      rates.get(contender.name)?.push(await rate(contender, messages));
    }
  }
  return rates;
}

/** Runs it until it is compiled, and says how many messages it does in the given time. */
async function warmUp(contender: Contender, milliseconds: number, limits: Limits): Promise<number> {
  const { most, least = 100 } = limits;
  let messages = Math.min(most, Math.max(least, 1000));
  let spent = 0;
  for (let run = 0; run < 3 || (spent < 3 * milliseconds && run < 50); run++) {
    const perSecond = await rate(contender, messages);
    spent += (messages / perSecond) * 1000;
    messages = Math.round(Math.min(most, Math.max(least, (perSecond * milliseconds) / 1000)));
  }
  return messages;
}

async function rate(contender: Contender, messages: number): Promise<number> {
  collectYoung();
  return (messages / (await contender.run(messages))) * 1000;
}

/**
 * So that nobody pays for what others left. Young objects only: a full collection also throws away compiled code
 * that refers to pipelines of earlier runs, which costs Westend a quarter, and never comes that often elsewhere.
 */
export function collectYoung(): void {
  globalThis.gc?.({ type: "minor" });
}

/** All of it, for weighing what is left. */
export function collectGarbage(): void {
  globalThis.gc?.();
}
