import { describe, expect, it } from "vitest";
import type { Settled } from "westend";
import { AcknowledgeError } from "../../src/errors.ts";
import { acknowledgerRig } from "../support/acknowledger-rig.ts";
import { deferred, never } from "../support/deferred.ts";

const fails = (call: number, count: number): void => {
  if (call <= count) throw new Error(`refused ${call}`);
};

describe("AcknowledgerStage", () => {
  it("tells the session everything that has settled in one call, successes and failures together", () => {
    const { stage, ledger, calls, succeed, receive } = acknowledgerRig(() => {});
    succeed("a", "b");
    const failed = receive("c");
    ledger.giveUp(failed);
    ledger.fail(failed, "failed", "why");
    stage.flush();
    expect(calls).toEqual(["ab|c"]);
    expect([ledger.inFlight, ledger.bytes]).toEqual([0, 0]);
  });

  it("does not call the session when nothing has settled", () => {
    const { stage, calls, receive } = acknowledgerRig(() => {});
    receive("a");
    stage.flush();
    expect(calls).toEqual([]);
  });

  it("tells the session of each message once", () => {
    const { stage, calls, succeed } = acknowledgerRig(() => {});
    succeed("a");
    stage.flush();
    stage.flush();
    succeed("b");
    stage.flush();
    expect(calls).toEqual(["a", "b"]);
  });

  it("holds the budget until the session has taken it", async () => {
    const taken = deferred();
    const { stage, clock, ledger, succeed } = acknowledgerRig(() => taken.promise);
    succeed("a");
    stage.flush();
    expect([ledger.inFlight, ledger.bytes]).toEqual([1, 1]);
    taken.resolve();
    await clock.settle();
    expect([ledger.inFlight, ledger.bytes]).toEqual([0, 0]);
  });

  it("makes the next group's call while one hangs", () => {
    const { stage, calls, ledger, succeed } = acknowledgerRig((_, call) =>
      call === 1 ? never : undefined,
    );
    succeed("a");
    stage.flush();
    succeed("b", "c");
    stage.flush();
    expect(calls).toEqual(["a", "bc"]);
    expect(ledger.inFlight).toBe(1);
  });

  it.each([
    ["throws", (_: Settled, call: number) => fails(call, 1)],
    ["rejects", async (_: Settled, call: number) => fails(call, 1)],
    [
      "refuses all",
      ({ succeeded }: Settled, call: number) => ({ refused: call === 1 ? succeeded : [] }),
    ],
    [
      "answers nonsense",
      (_: Settled, call: number) => (call === 1 ? { refused: 7 as never } : undefined),
    ],
    [
      "resolves with nonsense",
      async (_: Settled, call: number) => (call === 1 ? { refused: 7 as never } : undefined),
    ],
  ])("tries a group again after 100 ms if the session %s", async (_, answer) => {
    const { stage, clock, calls, ledger, refused, advanced, succeed } = acknowledgerRig(answer);
    succeed("a", "b");
    stage.flush();
    await clock.advance(99);
    expect(calls).toEqual(["ab"]);
    expect(ledger.inFlight).toBe(2);
    const before = advanced();
    await clock.advance(1);
    expect(calls).toEqual(["ab", "ab"]);
    expect([ledger.inFlight, refused]).toEqual([0, []]);
    expect(advanced()).toBeGreaterThan(before);
  });

  it("tries again only what was refused", async () => {
    const { stage, clock, calls, ledger, succeed } = acknowledgerRig(({ succeeded }, call) => ({
      refused: call === 1 ? succeeded.filter(({ incoming }) => incoming.payload === "b") : [],
    }));
    succeed("a", "b", "c");
    stage.flush();
    expect(ledger.inFlight).toBe(1);
    await clock.advance(100);
    expect(calls).toEqual(["abc", "b"]);
    expect(ledger.inFlight).toBe(0);
  });

  it("waits twice as long after each refusal, reports after the fifth, and frees the budget", async () => {
    const cause = new Error("the broker is gone");
    const { stage, clock, calls, ledger, refused, advanced, succeed } = acknowledgerRig(() => {
      throw cause;
    });
    succeed("a", "b");
    stage.flush();
    const moments: number[] = [];
    let before = 0;
    for (let moment = 0; moment <= 2000; moment += 50) {
      if (calls.length > before) moments.push(moment);
      before = calls.length;
      await clock.advance(50);
    }
    expect(moments).toEqual([0, 100, 300, 700, 1500]);
    expect(refused).toMatchObject([{ count: 2, cause, code: "WESTEND_ERR_ACKNOWLEDGE" }]);
    expect(refused[0]).toBeInstanceOf(AcknowledgeError);
    expect([ledger.inFlight, ledger.bytes, clock.timers]).toEqual([0, 0, 0]);
    expect(advanced()).toBeGreaterThan(0);
  });

  it("reports at once, and does not try again, what was refused for good", async () => {
    const cause = new Error("somebody else has it");
    const { stage, clock, calls, ledger, refused, succeed } = acknowledgerRig(
      ({ succeeded }, call) =>
        call === 1 ? { refused: succeeded.slice(1), reason: cause, final: true } : undefined,
    );
    succeed("a", "b", "c");
    stage.flush();
    expect(refused).toMatchObject([{ count: 2, cause, code: "WESTEND_ERR_ACKNOWLEDGE" }]);
    expect(refused[0]?.message).toContain("for good");
    expect([ledger.inFlight, clock.timers]).toEqual([0, 0]);
    await clock.advance(60_000);
    expect(calls).toEqual(["abc"]);
  });

  it("counts attempts for each group on its own", async () => {
    const { stage, clock, calls, refused, succeed } = acknowledgerRig(({ succeeded }) => {
      if (succeeded[0]?.incoming.payload === "bad") throw new Error("no");
    });
    succeed("bad");
    stage.flush();
    await clock.advance(500);
    succeed("good");
    stage.flush();
    await clock.advance(5000);
    expect(calls.filter((call) => call === "good").length).toBe(1);
    expect(refused.map(({ count }) => count)).toEqual([1]);
  });

  it("frees the budget once, though a thenable answers twice", async () => {
    const { stage, clock, ledger, succeed, receive } = acknowledgerRig(
      () =>
        // oxlint-disable-next-line unicorn/no-thenable
        ({ then: (answer: () => void) => [answer(), answer()] }) as unknown as PromiseLike<void>,
    );
    receive("other");
    succeed("a");
    stage.flush();
    await clock.settle();
    expect([ledger.inFlight, ledger.bytes]).toEqual([1, 1]);
  });

  it("gives up what waits for another try when it is killed, and frees its budget", async () => {
    const { stage, clock, calls, ledger, succeed } = acknowledgerRig(() =>
      Promise.reject(new Error("no")),
    );
    succeed("a");
    stage.flush();
    await clock.settle();
    stage.kill();
    await clock.advance(1000);
    expect([calls.length, ledger.inFlight, clock.timers]).toEqual([1, 0, 0]);
  });
});
