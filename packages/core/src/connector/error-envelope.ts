import { isNativeError } from "node:util/types";
import { printable } from "../printable.ts";

const LONGEST = 1_000;
const STACK_LINES = 10;

/** What is kept of the error that made a message a dead letter. */
export interface ErrorEnvelope {
  readonly name: string;
  readonly code: string | null;
  readonly message: string;
  readonly stack: string | null;
}

/** Describes anything that was thrown in bounded, printable text. Never throws, whatever it is given. */
export function describeError(reason: unknown): ErrorEnvelope {
  if (typeof reason !== "object" || reason === null) {
    const name = reason === null ? "null" : typeof reason;
    return {
      name,
      code: null,
      message: printableText(textOfPrimitive(reason as Primitive)),
      stack: null,
    };
  }
  const code = field(reason, "code");
  const stack = field(reason, "stack");
  return {
    name: textOf(field(reason, "name")) ?? "Object",
    code: typeof code === "number" ? String(code) : (textOf(code) ?? null),
    message: textOf(field(reason, "message")) ?? "",
    stack: typeof stack === "string" ? trimStack(stack) : null,
  };
}

type Primitive = string | number | bigint | boolean | symbol | null | undefined;

/** A function, or nothing, has nothing to say. */
function textOfPrimitive(value: Primitive | (() => unknown)): string {
  if (typeof value === "symbol") return value.description ?? "";
  return typeof value === "function" ? "" : String(value ?? "");
}

/** Getters are called on errors of the runtime itself only; those of others may do anything. */
function field(reason: object, name: string): unknown {
  try {
    if (isNativeError(reason) && name === "stack") return reason.stack;
    for (let at: object | null = reason; at !== null; at = Object.getPrototypeOf(at)) {
      const property = Object.getOwnPropertyDescriptor(at, name);
      if (property === undefined) continue;
      if ("value" in property) return property.value;
      return at === DOMException.prototype ? property.get?.call(reason) : undefined;
    }
  } catch {
    // A proxy that throws: it has nothing to say.
  }
  return undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? printableText(value) : undefined;
}

/** The frames only: the first lines repeat the message. */
function trimStack(stack: string): string {
  const frames = stack.split("\n").filter((line) => /^\s+at /.test(line));
  return frames
    .slice(0, STACK_LINES)
    .map((line) => printableText(line.trim()))
    .join("\n");
}

function printableText(text: string): string {
  return printable(text.slice(0, LONGEST).toWellFormed(), " ").trim();
}
