import { constants } from "node:os";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Milliseconds in which a signal is taken for the first one again: npm passes on what the terminal has sent to all. */
const ECHO = 200;

export interface SignalHandlers {
  /** Asks for an orderly end. */
  first(signal: NodeJS.Signals): void;
  /** The user has no patience; `code` is the customary exit code. */
  second(code: number): void;
}

/** Listens to SIGTERM and SIGINT until the function it gives is called. */
export function onSignals({ first, second }: SignalHandlers): () => void {
  let asked: number | undefined;
  const listener = (signal: NodeJS.Signals): void => {
    if (asked === undefined) {
      asked = performance.now();
      first(signal);
    } else if (performance.now() - asked > ECHO) {
      second(128 + constants.signals[signal]);
    }
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener);
  };
}
