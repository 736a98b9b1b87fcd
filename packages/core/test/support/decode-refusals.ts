import { DecodeError } from "../../src/errors.ts";

export const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** What a decoder gives, or the DecodeError it throws; anything else it throws fails the test. */
export function outcome(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}

export function refusal(act: () => unknown): DecodeError {
  const error = outcome(act);
  if (error instanceof DecodeError) return error;
  throw new Error("nothing was thrown");
}
