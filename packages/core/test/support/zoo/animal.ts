import type { Message } from "westend";

/** How a message of the zoo ends. */
export type Ending =
  | { readonly outcome: "succeeded" | "dropped" }
  /** Dead-lettered with this very reason, after as many attempts as the policy has. */
  | { readonly reason: unknown }
  /** Dead-lettered with an error of this code, at once or after all attempts. */
  | { readonly code: string; readonly attempts: 1 | "all" };

export interface Animal {
  readonly name: string;
  /** `foreign` is another message of the same pipeline. */
  handle(message: Message<string, undefined>, foreign: Message<string, undefined>): unknown;
  readonly ends: Ending;
}

export const error = new Error("thrown");

export const succeeds: Ending = { outcome: "succeeded" };
export const wrongResult: Ending = { code: "WESTEND_ERR_HANDLER_RESULT", attempts: 1 };
export const timesOut: Ending = { code: "WESTEND_ERR_HANDLER_TIMEOUT", attempts: "all" };
export const fails: Ending = { reason: error };

export const throwing = (value: unknown): (() => never) => {
  return () => {
    throw value;
  };
};
