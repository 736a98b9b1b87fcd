import { describe, expect, it } from "vitest";
import { AcknowledgeError, StoppedError } from "../../src/errors.ts";
import type { Delivery } from "../../src/topology/delivery.ts";
import { acknowledgerRig } from "../support/acknowledger-rig.ts";
import { deferred } from "../support/deferred.ts";

describe("AcknowledgerStage.acknowledgeNow", () => {
  it("acknowledges a message before its end, and not again at its end", async () => {
    const { stage, ledger, calls, receive } = acknowledgerRig(() => {});
    const delivery = receive("a");
    ledger.start(delivery);
    await delivery.acknowledgeNow();
    expect(calls).toEqual(["a"]);
    expect(ledger.inFlight).toBe(1);
    ledger.succeed(delivery);
    stage.flush();
    expect(calls).toEqual(["a"]);
    expect([ledger.inFlight, ledger.unacknowledged]).toEqual([0, 0]);
  });

  it("does nothing the second time, or after the end", async () => {
    const { calls, receive, succeed } = acknowledgerRig(() => {});
    const delivery = receive("a");
    await Promise.all([delivery.acknowledgeNow(), delivery.acknowledgeNow()]);
    await (succeed("b")[0] as Delivery).acknowledgeNow();
    expect(calls).toEqual(["a"]);
  });

  it("rejects when the source refuses, and acknowledges at the end after all", async () => {
    const { stage, ledger, calls, receive } = acknowledgerRig(({ succeeded }, call) =>
      call === 1 ? { refused: succeeded, reason: "busy" } : undefined,
    );
    const delivery = receive("a");
    ledger.start(delivery);
    await expect(delivery.acknowledgeNow()).rejects.toMatchObject({
      code: "WESTEND_ERR_ACKNOWLEDGE",
      cause: "busy",
    });
    ledger.succeed(delivery);
    stage.flush();
    expect(calls).toEqual(["a", "a"]);
    expect(ledger.inFlight).toBe(0);
  });

  it.each(["succeeded", "failed"] as const)(
    "acknowledges a message that %s while the source was refusing",
    async (outcome) => {
      const answer = deferred();
      const { stage, ledger, calls, receive } = acknowledgerRig((_, call) =>
        call === 1 ? answer.promise : undefined,
      );
      const delivery = receive("a");
      ledger.start(delivery);
      const early = delivery.acknowledgeNow();
      if (outcome === "succeeded") ledger.succeed(delivery);
      else {
        ledger.giveUp(delivery);
        ledger.fail(delivery, "failed", "why");
      }
      stage.flush();
      expect(calls).toEqual(["a"]);
      answer.reject(new Error("refused"));
      await expect(early).rejects.toBeInstanceOf(AcknowledgeError);
      expect(ledger.inFlight).toBe(1);
      stage.flush();
      expect(calls).toEqual(["a", outcome === "succeeded" ? "a" : "|a"]);
      expect([ledger.inFlight, ledger.bytes]).toEqual([0, 0]);
    },
  );

  it("leaves alone what was given back to the source while it was refusing", async () => {
    const answer = deferred();
    const { stage, ledger, calls, receive } = acknowledgerRig(() => answer.promise);
    const delivery = receive("a");
    const early = delivery.acknowledgeNow();
    ledger.release(delivery);
    answer.reject(new Error("refused"));
    await expect(early).rejects.toBeInstanceOf(AcknowledgeError);
    stage.flush();
    expect(calls).toEqual(["a"]);
    expect([ledger.inFlight, ledger.bytes]).toEqual([0, 0]);
  });

  it("tells nobody what is refused when the session is closed already", async () => {
    const answer = deferred();
    const { stage, ledger, calls, receive } = acknowledgerRig(() => answer.promise);
    const delivery = receive("a");
    ledger.start(delivery);
    const early = delivery.acknowledgeNow();
    ledger.succeed(delivery);
    stage.kill();
    answer.reject(new Error("refused"));
    await expect(early).rejects.toBeInstanceOf(AcknowledgeError);
    expect(calls).toEqual(["a"]);
    expect([ledger.inFlight, ledger.unacknowledged]).toEqual([0, 0]);
  });

  it("rejects once the session is closed", async () => {
    const { stage, receive } = acknowledgerRig(() => {});
    const delivery = receive("a");
    stage.kill();
    await expect(delivery.acknowledgeNow()).rejects.toBeInstanceOf(StoppedError);
  });

  it("called again while the first call is under way ends as that one does", async () => {
    const taken = deferred();
    const { clock, calls, receive } = acknowledgerRig(() => taken.promise);
    const delivery = receive("a");
    const ends: string[] = [];
    const acknowledge = (name: string): void => {
      delivery.acknowledgeNow().then(
        () => ends.push(name),
        () => ends.push(`${name} refused`),
      );
    };
    acknowledge("first");
    acknowledge("second");
    await clock.settle();
    expect(ends).toEqual([]);
    taken.reject(new Error("no"));
    await clock.settle();
    expect(ends).toEqual(["first refused", "second refused"]);
    expect(calls).toEqual(["a"]);
  });
});
