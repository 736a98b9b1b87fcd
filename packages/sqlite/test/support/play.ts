import fc from "fast-check";
import type { LeasedMessage, SqliteQueue } from "@westend/sqlite";
import { calendarClock, file, queueOf } from "./fixtures.ts";

/** One call of a consumer, or time that passes. */
export type Step =
  | {
      readonly do: "enqueue";
      readonly keys: readonly (string | undefined)[];
      readonly delay: number;
    }
  | { readonly do: "lease"; readonly by: 0 | 1; readonly limit: number; readonly duration: number }
  | {
      readonly do: "acknowledge" | "release" | "retry" | "extend";
      readonly pick: number;
      readonly take: number;
      readonly for: number;
    }
  | { readonly do: "pass"; readonly milliseconds: number };

/** Any steps, with messages of these keys. */
export const stepsOf = (key: fc.Arbitrary<string | undefined>): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof<fc.Arbitrary<Step>[]>(
      fc.record({
        do: fc.constant("enqueue" as const),
        keys: fc.array(key, { minLength: 1, maxLength: 13 }),
        delay: fc.constantFrom(0, 0, 0, 50),
      }),
      fc.record({
        do: fc.constant("lease" as const),
        by: fc.constantFrom(0 as const, 1 as const),
        limit: fc.integer({ min: 1, max: 8 }),
        duration: fc.constantFrom(20, 100),
      }),
      fc.record({
        do: fc.constantFrom(
          "acknowledge" as const,
          "acknowledge" as const,
          "release" as const,
          "retry" as const,
          "extend" as const,
        ),
        pick: fc.nat(),
        take: fc.integer({ min: 1, max: 5 }),
        for: fc.constantFrom(10, 60),
      }),
      fc.record({ do: fc.constant("pass" as const), milliseconds: fc.constantFrom(5, 20, 60) }),
    ),
    { minLength: 1, maxLength: 40, size: "max" },
  );

/** Is told of everything that comes of the steps. */
export interface Observer {
  enqueued?(ids: readonly string[], step: Extract<Step, { do: "enqueue" }>): void;
  leased?(messages: readonly LeasedMessage[], step: Extract<Step, { do: "lease" }>): void;
  ended?(
    lost: readonly LeasedMessage[],
    all: readonly LeasedMessage[],
    step: Extract<Step, { take: number }>,
  ): void;
  passed?(milliseconds: number): void;
  after?(queue: SqliteQueue): Promise<void>;
}

/** Runs steps against two consumers of one file. */
export async function play(steps: readonly Step[], observer: Observer): Promise<void> {
  const clock = calendarClock();
  const path = file();
  const open = (): SqliteQueue => queueOf({ path, clock, synchronous: "normal" });
  const queues = [open(), open()] as const;
  const leases: { by: 0 | 1; messages: LeasedMessage[] }[] = [];
  try {
    for (const step of steps) {
      if (step.do === "enqueue") {
        const ids = await queues[0].enqueueAll(
          step.keys.map((key) => ({ payload: "x", key, delay: step.delay })),
        );
        observer.enqueued?.(ids, step);
      } else if (step.do === "lease") {
        const messages = await queues[step.by].lease({
          limit: step.limit,
          duration: step.duration,
        });
        leases.push({ by: step.by, messages });
        observer.leased?.(messages, step);
      } else if (step.do === "pass") {
        clock.pass(step.milliseconds);
        observer.passed?.(step.milliseconds);
      } else {
        const lease = step.pick < 0 ? leases.at(-1) : leases[step.pick % leases.length];
        if (lease === undefined) continue;
        const some = lease.messages.slice(0, step.take);
        const queue = queues[lease.by];
        const lost =
          step.do === "retry" || step.do === "extend"
            ? await queue[step.do](some, step.for)
            : await queue[step.do](some);
        observer.ended?.(lost, some, step);
      }
      await observer.after?.(queues[0]);
    }
  } finally {
    await Promise.all(queues.map((queue) => queue.close()));
  }
}

/** Leases what there is and acknowledges it, with time for what waits; −1 picks the newest lease. */
export function drainStep(): Step[] {
  return [
    { do: "lease", by: 0, limit: 100, duration: 10 },
    { do: "acknowledge", pick: -1, take: 100, for: 0 },
    { do: "pass", milliseconds: 100 },
  ];
}
