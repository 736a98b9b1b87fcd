import assert from "node:assert/strict";
import { channel } from "node:diagnostics_channel";
import { afterAll, beforeAll, vi } from "vitest";
import { pipelines } from "westend";
import { TELEMETRY_NAMES } from "./telemetry-names.ts";

/**
 * A setup file of the projects whose test files share a process: a file that leaves there what it has not found fails,
 * instead of whichever file runs next.
 */

const CHANNELS = [
  ...TELEMETRY_NAMES,
  ...["handle", "batch"].flatMap((span) =>
    ["start", "end", "asyncStart", "asyncEnd", "error"].map(
      (moment) => `tracing:westend:${span}:${moment}`,
    ),
  ),
];

/** Not `exit`: the ports that were taken for servers are given back then, not before. */
const EVENTS = [
  ...["uncaughtException", "unhandledRejection", "rejectionHandled", "warning"],
  ...["beforeExit", "SIGINT", "SIGTERM", "SIGHUP"],
];

/** What all files of a process see. */
function world(): object {
  return {
    pipelines: pipelines().map(({ name }) => name),
    subscribed: CHANNELS.filter((name) => channel(name).hasSubscribers),
    listeners: Object.fromEntries(EVENTS.map((event) => [event, process.listenerCount(event)])),
    fakeTimers: vi.isFakeTimers(),
    globals: Reflect.ownKeys(globalThis),
    prototype: Reflect.ownKeys(Object.prototype),
    exitCode: process.exitCode,
    folder: process.cwd(),
  };
}

/** By name only: a value may be a secret, and a failure is printed. */
function changed(before: NodeJS.ProcessEnv): string[] {
  return Object.keys({ ...before, ...process.env }).filter(
    (name) => before[name] !== process.env[name],
  );
}

let before: object;
let env: NodeJS.ProcessEnv;

beforeAll(() => {
  before = world();
  env = { ...process.env };
});

// Registered before those of the file, and so run after them.
afterAll(() => {
  const now = { ...world(), env: changed(env) };
  assert.deepEqual(now, { ...before, env: [] }, "This file leaves the process other than it was.");
});
