import { type VirtualClock, virtualClock } from "../../src/testing/virtual-clock.ts";

export interface FaultyClock extends VirtualClock {
  /** The next call of this method throws, once. */
  fault: "now" | "setTimer" | undefined;
}

/** A clock that fails when a test wants a stage to crash in the middle of what it does. */
export function faultyClock(): FaultyClock {
  const clock = virtualClock();
  const faulty: FaultyClock = Object.create(clock, {
    fault: { value: undefined, writable: true },
  });
  const once = (kind: "now" | "setTimer"): void => {
    if (faulty.fault !== kind) return;
    faulty.fault = undefined;
    throw new Error(`injected into ${kind}`);
  };
  return Object.assign(faulty, {
    now: () => {
      once("now");
      return clock.now();
    },
    setTimer: (callback: () => void, milliseconds: number) => {
      once("setTimer");
      return clock.setTimer(callback, milliseconds);
    },
  });
}
