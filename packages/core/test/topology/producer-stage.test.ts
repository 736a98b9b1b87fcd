import { describe, expect, it } from "vitest";
import type { Incoming, ProducerContext, ProducerSession } from "westend";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { Account, type Arrival } from "../../src/topology/account.ts";
import { Ledger } from "../../src/topology/ledger.ts";
import { ProducerStage } from "../../src/topology/producer-stage.ts";
import { deferred, never } from "../support/deferred.ts";

type Pulled = readonly Incoming<unknown, unknown>[] | null;

const incoming = (...payloads: unknown[]): Incoming<unknown, unknown>[] =>
  payloads.map((payload) => ({ payload, metadata: undefined }));

/** A stage whose sessions do, one after the other, what they are told. */
function staged(
  sessions: Partial<ProducerSession<unknown>>[],
  room = { messages: 10, bytes: 100 },
  taken?: (stage: ProducerStage) => Promise<void>,
) {
  const clock = virtualClock();
  const ledger = new Ledger();
  const received: [unknown, Account][] = [];
  const errors: Error[] = [];
  const crashes: Error[] = [];
  const closed: Account[] = [];
  let ended = 0;
  let opened = 0;
  const stage: ProducerStage = new ProducerStage({
    clock,
    ledger,
    source: "source",
    producer: {
      name: "source",
      open: () => ({
        pull: () => [],
        acknowledge() {},
        idle: Infinity,
        ...sessions[opened++],
      }),
    },
    context: () => ({}) as ProducerContext,
    demand: () => room,
    room: () => room,
    opened: () => new Account("source", async () => {}),
    received: (arrival: Arrival) => {
      for (const { incoming } of arrival.unsettled()) {
        received.push([incoming.payload, arrival.account]);
      }
      return taken?.(stage);
    },
    publish(name, event) {
      if (name === "westend:producer:ended") ended++;
      if ("error" in event) errors.push(event.error as Error);
    },
    crashed: (error) => void crashes.push(error),
    closed: (account) => void closed.push(account),
    advance: () => void stage.pull(),
  });
  const payloads = (): unknown[] => received.map(([payload]) => payload);
  return {
    clock,
    ledger,
    stage,
    received,
    payloads,
    errors,
    crashes,
    closed,
    ended: () => ended,
  };
}

describe("ProducerStage", () => {
  it("pulls once at a time, though what takes messages in moves everything on", async () => {
    let [pulling, most] = [0, 0];
    const { clock, stage } = staged(
      [
        {
          async pull() {
            most = Math.max(most, ++pulling);
            await new Promise<void>((resolve) => clock.setTimer(resolve, 1));
            pulling--;
            return incoming(1);
          },
        },
      ],
      undefined,
      async (stage) => void stage.pull(),
    );
    await stage.start();
    await clock.advance(10);
    expect(most).toBe(1);
  });

  it("pulls from a new session although a pull of the old one hangs", async () => {
    const { stage, payloads } = staged([{ pull: () => never }, { pull: once(incoming(1, 2)) }]);
    await stage.start();
    stage.retire();
    await stage.start();
    expect(payloads()).toEqual([1, 2]);
  });

  it("books what a given-up session still brings to that session, which is closed only afterwards", async () => {
    const late = deferred<Pulled>();
    const { clock, stage, received, closed } = staged([{ pull: () => late.promise }, {}]);
    await stage.start();
    const [old] = stage.accounts;
    stage.retire();
    await stage.start();
    stage.closeRetired();
    expect(closed).toEqual([]);
    late.resolve(incoming(1));
    await clock.settle();
    expect(received).toEqual([[1, old]]);
  });

  it("does not end because a given-up session says so", async () => {
    const late = deferred<Pulled>();
    const { clock, stage, ended } = staged([{ pull: () => late.promise }, {}]);
    await stage.start();
    stage.retire();
    await stage.start();
    late.resolve(null);
    await clock.settle();
    expect(ended()).toBe(0);
    expect(stage.ended).toBe(false);
  });

  it("gives back to a closed session what its pull still brings", async () => {
    const late = deferred<Pulled>();
    const released: unknown[] = [];
    const { clock, stage, payloads } = staged([
      {
        pull: () => late.promise,
        release: async (messages) => void released.push(...messages.map(({ payload }) => payload)),
      },
    ]);
    await stage.start();
    await stage.close();
    late.resolve(incoming(1, 2));
    await clock.settle();
    expect(payloads()).toEqual([]);
    expect(released).toEqual([1, 2]);
  });

  it("keeps with its session what it has no room for when it is given up", async () => {
    const { stage, received } = staged([{ pull: once(incoming(1, 2, 3)) }, {}], {
      messages: 2,
      bytes: 100,
    });
    await stage.start();
    const [old] = stage.accounts;
    stage.retire();
    await stage.start();
    expect(received.map(([payload]) => payload)).toEqual([1, 2, 3]);
    expect(new Set(received.map(([, account]) => account))).toEqual(new Set([old]));
  });

  it("opens nothing any more once it drains", async () => {
    const { stage, crashes } = staged([{}]);
    await stage.drain();
    await stage.start();
    expect(stage.session).toBeUndefined();
    expect(crashes).toEqual([]);
  });

  it("closes a session that opens too late", async () => {
    const calls: string[] = [];
    const { stage } = staged([{ close: async () => void calls.push("close") }]);
    const starting = stage.start();
    stage.retire();
    await starting;
    expect(calls).toEqual(["close"]);
    expect(stage.session).toBeUndefined();
  });

  it("says what went wrong without quoting what came", async () => {
    const { stage, crashes } = staged([{ pull: () => ["s3cr3t"] as any }]);
    await stage.start();
    expect(crashes[0]?.message).toBe(
      'The producer "source" failed: pull() gave a string of length 6 among its messages.',
    );
  });
});

/** Gives it at the first call, and nothing after that. */
function once(pulled: Incoming<unknown, unknown>[]): () => Incoming<unknown, unknown>[] {
  return () => pulled.splice(0);
}
