import fc from "fast-check";
import { expect } from "vitest";
import { systemClock, type ProducerSession, type SettledMessage } from "westend";
import {
  postgres,
  type LeasedMessage,
  type PostgresMetadata,
  type PostgresQueue,
} from "@westend/postgres";
import { ModelQueue } from "./model-queue.ts";

type Ending = "acknowledge" | "retry" | "bury";

/** One call of a consumer, or something that happens to all. */
export type Step =
  | {
      readonly do: "enqueue";
      readonly keys: readonly (string | undefined)[];
      readonly late: boolean;
    }
  | { readonly do: "pull"; readonly by: number; readonly limit: number }
  | { readonly do: "end"; readonly pick: number; readonly how: readonly Ending[] }
  | { readonly do: "release" | "extend"; readonly pick: number; readonly take: number }
  | { readonly do: "pass"; readonly seconds: number }
  | { readonly do: "crash"; readonly by: number }
  | { readonly do: "redrive"; readonly limit: number };

const CONSUMERS = 3;
const by = fc.nat({ max: CONSUMERS - 1 });

/** Times are of seconds, which pass when they are told to; the milliseconds a call takes do not count. */
const LEASE = 20_000;
const DELAY = 10_000;

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({
      do: fc.constant("enqueue" as const),
      keys: fc.array(fc.constantFrom(undefined, "a", "a", "b"), { minLength: 1, maxLength: 6 }),
      late: fc.constantFrom(false, false, true),
    }),
    fc.record({ do: fc.constant("pull" as const), by, limit: fc.integer({ min: 1, max: 5 }) }),
    fc.record({
      do: fc.constant("end" as const),
      pick: fc.nat(),
      how: fc.array(fc.constantFrom<Ending[]>("acknowledge", "acknowledge", "retry", "bury"), {
        minLength: 1,
        maxLength: 4,
      }),
    }),
    fc.record({
      do: fc.constantFrom("release" as const, "extend" as const),
      pick: fc.nat(),
      take: fc.integer({ min: 1, max: 4 }),
    }),
    fc.record({ do: fc.constant("pass" as const), seconds: fc.constantFrom(5, 15, 60) }),
    fc.record({ do: fc.constant("crash" as const), by }),
    fc.record({ do: fc.constant("redrive" as const), limit: fc.integer({ min: 1, max: 3 }) }),
  ),
  { minLength: 1, maxLength: 40, size: "max" },
);

interface Lease {
  readonly by: number;
  readonly number: number;
  readonly messages: readonly LeasedMessage[];
}

export interface Scene {
  readonly queue: PostgresQueue;
  /** Lets time go by for what is in the queue. */
  pass(milliseconds: number): Promise<unknown>;
}

/** Plays steps on a queue, empties it, and compares every answer with the model's. */
export async function play(all: readonly Step[], { queue, pass }: Scene): Promise<void> {
  const model = new ModelQueue();
  const leases: Lease[] = [];
  const owners = Array.from({ length: CONSUMERS }, (_, index) => index);
  const sessions = await Promise.all(owners.map(() => open(queue)));
  let payloads = 0;

  const pull = async (consumer: number, limit: number): Promise<Lease> => {
    const demand = { messages: limit, bytes: Infinity };
    const messages = (await sessions[consumer]?.pull(demand, new AbortController().signal)) ?? [];
    const lease = { by: consumer, number: leases.length, messages: messages as LeasedMessage[] };
    const owner = owners[consumer] as number;
    expect(messages.map(({ payload, attempt }) => ({ payload, attempts: attempt }))).toEqual(
      model.lease(owner, lease.number, limit, LEASE),
    );
    leases.push(lease);
    return lease;
  };
  const end = async ({ by: consumer, number, messages }: Lease, how: readonly Ending[]) => {
    const ended = messages.slice(0, how.length).map((message, index) => {
      const ending = how[index] as Ending;
      const ours = model.end(ending, String(message.payload), number, DELAY);
      return { settled: settledOf(message, ending), ours };
    });
    const result = await sessions[consumer]?.acknowledge({
      succeeded: ended.map(({ settled }) => settled).filter(({ outcome }) => outcome !== "failed"),
      failed: ended.map(({ settled }) => settled).filter(({ outcome }) => outcome === "failed"),
    });
    const lost = ended.filter(({ ours }) => !ours).map(({ settled }) => settled.incoming);
    expect(new Set(result?.refused.map(({ incoming }) => incoming))).toEqual(new Set(lost));
  };

  for (const step of all) {
    if (step.do === "enqueue") {
      const delay = step.late ? DELAY : 0;
      const messages = step.keys.map((key) => ({ payload: `${payloads++}`, key, delay }));
      for (const { payload, key } of messages) model.enqueue(payload, key, delay);
      await queue.enqueueAll(messages);
    } else if (step.do === "pull") await pull(step.by, step.limit);
    else if (step.do === "pass") {
      model.pass(step.seconds * 1_000);
      await pass(step.seconds * 1_000);
    } else if (step.do === "crash") {
      sessions[step.by] = await open(queue);
      owners[step.by] = Math.max(...owners) + 1;
    } else if (step.do === "redrive") {
      const { redriven } = await queue.deadLetters.redrive({ by: "test", limit: step.limit });
      expect(redriven).toBe(model.redrive(step.limit));
    } else if (leases.length > 0) {
      const lease = leases[step.pick % leases.length] as Lease;
      if (step.do === "end") await end(lease, step.how);
      else {
        const some = lease.messages.slice(0, step.take);
        for (const { payload } of some) model.end(step.do, String(payload), lease.number, LEASE);
        if (step.do === "extend") await sessions[lease.by]?.extend?.(some, LEASE);
        else await sessions[lease.by]?.release?.(some);
      }
    }
    expect(await queue.counts()).toEqual(model.counts());
  }

  // Nothing stays behind, whatever happened: time goes by, and one consumer takes all there is.
  await queue.deadLetters.redrive({ by: "test" });
  model.redrive(Infinity);
  for (let left = await queue.size(); left > 0; left = await queue.size()) {
    model.pass(LEASE + DELAY);
    await pass(LEASE + DELAY);
    const lease = await pull(0, 100);
    expect(lease.messages).not.toEqual([]);
    await end(
      lease,
      lease.messages.map(() => "acknowledge" as const),
    );
  }
  for (const session of sessions) await session.close?.();
}

function open(queue: PostgresQueue): Promise<ProducerSession<unknown, PostgresMetadata>> {
  const producer = postgres({ queue, lease: LEASE, retryDelay: DELAY });
  return Promise.resolve(
    producer.open({
      pipeline: "test",
      source: "queue",
      index: 0,
      clock: systemClock,
      signal: new AbortController().signal,
      wake: () => undefined,
      revoke: () => Promise.resolve(),
      telemetry: () => undefined,
    }),
  );
}

function settledOf(incoming: LeasedMessage, how: Ending): SettledMessage<PostgresMetadata> {
  return {
    incoming,
    outcome: how === "acknowledge" ? "succeeded" : "failed",
    reason: new Error("it failed"),
    ackOptions: how === "bury" ? { onFailure: "deadLetter" } : undefined,
  };
}
