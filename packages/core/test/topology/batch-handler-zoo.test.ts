/* oxlint-disable unicorn/no-thenable -- foreign thenables are part of the zoo */
import { describe, expect, it } from "vitest";
import type { RoutedMessage } from "../../src/message.ts";
import { batchOf, batchProcessorRig, retrying } from "../support/batch-processor-rig.ts";

/** What a batch handler may do wrong, and what becomes of the messages "a" and "b". */
const zoo: readonly [
  string,
  (messages: readonly RoutedMessage[]) => unknown,
  { readonly succeeded: readonly string[]; readonly reasons: readonly unknown[] },
][] = [
  [
    "throws",
    () => {
      throw "thrown";
    },
    { succeeded: [], reasons: ["thrown", "thrown"] },
  ],
  ["rejects", () => Promise.reject("thrown"), { succeeded: [], reasons: ["thrown", "thrown"] }],
  [
    "throws undefined",
    () => {
      throw undefined;
    },
    { succeeded: [], reasons: [undefined, undefined] },
  ],
  [
    "rejects with nothing",
    () => Promise.reject(),
    { succeeded: [], reasons: [undefined, undefined] },
  ],
  ["returns a value", () => 42, { succeeded: ["a", "b"], reasons: [] }],
  ["returns the messages", (messages) => [...messages], { succeeded: ["a", "b"], reasons: [] }],
  [
    "resolves twice",
    () => ({
      then(resolve: () => void) {
        resolve();
        resolve();
      },
    }),
    { succeeded: ["a", "b"], reasons: [] },
  ],
  [
    "resolves, then rejects",
    () => ({
      then(resolve: () => void, reject: (reason: unknown) => void) {
        resolve();
        reject("late");
      },
    }),
    { succeeded: ["a", "b"], reasons: [] },
  ],
  [
    "rejects, then resolves",
    () => ({
      then(resolve: () => void, reject: (reason: unknown) => void) {
        reject("thrown");
        resolve();
      },
    }),
    { succeeded: [], reasons: ["thrown", "thrown"] },
  ],
  [
    "throws in then",
    () => ({
      then() {
        throw "thrown";
      },
    }),
    { succeeded: [], reasons: ["thrown", "thrown"] },
  ],
  [
    "throws when then is read",
    () =>
      Object.defineProperty({}, "then", {
        get() {
          throw "thrown";
        },
      }),
    { succeeded: [], reasons: ["thrown", "thrown"] },
  ],
  [
    "resolves with a thenable that rejects",
    () =>
      Promise.resolve({
        then: (_: unknown, reject: (reason: unknown) => void) => reject("thrown"),
      }),
    { succeeded: [], reasons: ["thrown", "thrown"] },
  ],
  [
    "fails a message twice",
    (messages) => {
      messages[0]?.fail("first");
      messages[0]?.fail("last");
    },
    { succeeded: ["b"], reasons: ["last"] },
  ],
  [
    "drops a message it has failed",
    (messages) => {
      messages[0]?.fail("first");
      messages[0]?.drop("last");
    },
    { succeeded: ["b"], reasons: ["last"] },
  ],
  [
    "fails a message after it resolved",
    (messages) => {
      setImmediate(() => messages[0]?.fail("late"));
      return Promise.resolve();
    },
    { succeeded: ["a", "b"], reasons: [] },
  ],
  [
    "fails every message",
    (messages) => {
      for (const message of messages) message.fail(message.data);
    },
    { succeeded: [], reasons: ["a", "b"] },
  ],
  [
    "empties the array it is given",
    (messages) => {
      (messages as RoutedMessage[]).length = 0;
    },
    { succeeded: ["a", "b"], reasons: [] },
  ],
];

describe("BatchProcessorStage, when a handler", () => {
  it.each(zoo)("%s, settles every message once and goes on", async (_, handler, expected) => {
    let zooKept = true;
    const { stage, clock, succeeded, gaveUp } = batchProcessorRig({
      handler: (messages) => (zooKept ? handler(messages) : undefined),
    });
    stage.push(batchOf("a", "b"));
    await clock.settle();
    expect(succeeded).toEqual(expected.succeeded);
    expect(gaveUp.map(({ reason }) => reason)).toEqual(expected.reasons);
    zooKept = false;
    stage.push(batchOf("next"));
    expect(succeeded.at(-1)).toBe("next");
    expect([stage.running, stage.queued]).toEqual([0, 0]);
  });

  it("sorts the messages it tries again, still gives each verdict to its own message", async () => {
    const { stage, clock, succeeded, gaveUp } = batchProcessorRig({
      decide: retrying(2, 10),
      handler(messages, { attempt }) {
        if (attempt === 1) throw new Error("again");
        (messages as RoutedMessage[]).reverse();
        messages[0]?.fail("the last one");
      },
    });
    stage.push(batchOf("a", "b"));
    await clock.advance(10);
    expect(gaveUp).toMatchObject([{ data: "b" }]);
    expect(succeeded).toEqual(["a"]);
  });
});
