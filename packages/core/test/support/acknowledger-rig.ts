import type { AcknowledgeResult, Awaitable, Settled } from "westend";
import type { AcknowledgeError } from "../../src/errors.ts";
import { type VirtualClock, virtualClock } from "../../src/testing/virtual-clock.ts";
import { AcknowledgerStage } from "../../src/topology/acknowledger-stage.ts";
import { Account } from "../../src/topology/account.ts";
import type { Delivery } from "../../src/topology/delivery.ts";
import { Ledger } from "../../src/topology/ledger.ts";
import { received } from "./routed.ts";

/** An acknowledger, its ledger, and everything its session is told. */
export interface AcknowledgerRig {
  readonly stage: AcknowledgerStage;
  readonly clock: VirtualClock;
  readonly ledger: Ledger;
  /** Payloads of each call, those that failed after a bar. */
  readonly calls: string[];
  readonly refused: AcknowledgeError[];
  readonly advanced: () => number;
  receive(payload: string): Delivery;
  succeed(...payloads: string[]): Delivery[];
}

/** An acknowledger whose session answers the n-th call (from 1) as it is told. */
export function acknowledgerRig(
  answer: (settled: Settled, call: number) => Awaitable<AcknowledgeResult>,
): AcknowledgerRig {
  const clock = virtualClock();
  const ledger = new Ledger();
  const calls: string[] = [];
  const refused: AcknowledgeError[] = [];
  let advanced = 0;
  const account = new Account("source", (delivery) => stage.acknowledgeNow(delivery));
  const stage: AcknowledgerStage = new AcknowledgerStage({
    clock,
    ledger,
    account,
    session: {
      pull: () => null,
      acknowledge(settled) {
        const [succeeded, failed] = [settled.succeeded, settled.failed].map((list) =>
          list.map(({ incoming }) => incoming.payload).join(""),
        );
        calls.push(failed === "" ? `${succeeded}` : `${succeeded}|${failed}`);
        return answer(settled, calls.length);
      },
    },
    acknowledged() {},
    refused: (error) => void refused.push(error),
    advance: () => void advanced++,
  });
  const receive = (payload: string): Delivery =>
    received(payload, { ledger, to: account, size: 1 });
  return {
    stage,
    clock,
    ledger,
    calls,
    refused,
    receive,
    advanced: () => advanced,
    succeed: (...payloads) =>
      payloads.map((payload) => {
        const delivery = receive(payload);
        ledger.start(delivery);
        ledger.succeed(delivery);
        return delivery;
      }),
  };
}
