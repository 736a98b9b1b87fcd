import { describe, expect, it } from "vitest";
import type { RecordBatch } from "../../src/client.ts";
import { resultsOf } from "../../src/platformatic/send-results.ts";

const batches: RecordBatch[] = [0, 1, 2].map((partition) => ({
  topic: "events",
  partition,
  records: [],
}));

/** A broker's answer, as the client wraps it. */
const answer = (codes: Readonly<Record<number, number>>) =>
  Object.assign(new AggregateError([new Error("of one partition")], "Received response"), {
    response: {
      responses: [
        {
          name: "events",
          partitionResponses: Object.entries(codes).map(([index, errorCode]) => ({
            index: Number(index),
            errorCode,
          })),
        },
      ],
    },
  });

const together = (errors: Error[], written: number[] = []) =>
  Object.assign(new AggregateError(errors, "Producing messages failed."), {
    produced: { offsets: written.map((partition) => ({ topic: "events", partition })) },
  });

const words = (error: unknown) =>
  resultsOf(error, batches).map((result) =>
    result === "written" ? result : `${result.outcome} ${result.brokerError}`,
  );

describe("what an error of the client says of each batch", () => {
  it("tells what one broker wrote from what it did not", () => {
    expect(words(together([answer({ 0: 0, 1: 10, 2: 6 })]))).toEqual([
      "written",
      "notWritten MESSAGE_TOO_LARGE",
      "notWritten NOT_LEADER_OR_FOLLOWER",
    ]);
  });

  it("takes for written what another broker wrote, and for unknown what nobody spoke of", () => {
    const error = together([answer({ 1: 19 }), new Error("reset")], [0]);
    expect(words(error)).toEqual(["written", "unknown NOT_ENOUGH_REPLICAS", "unknown undefined"]);
  });

  it("takes for written what a later try was told to be there already, or was once written", () => {
    const error = together([
      new AggregateError([new Error("reset"), answer({ 0: 46, 1: 0, 2: 6 }), answer({ 1: 6 })]),
    ]);
    expect(words(error)).toEqual(["written", "written", "unknown NOT_LEADER_OR_FOLLOWER"]);
  });

  it("takes for unknown what the broker gave up waiting for", () => {
    expect(words(together([answer({ 0: 7, 1: 20, 2: 999 })]))).toEqual([
      "unknown REQUEST_TIMED_OUT",
      "unknown NOT_ENOUGH_REPLICAS_AFTER_APPEND",
      "notWritten error 999",
    ]);
  });

  it("takes for unknown all of what is no error of the client's", () => {
    expect(words(new Error("other"))).toEqual(Array(3).fill("unknown undefined"));
  });
});
