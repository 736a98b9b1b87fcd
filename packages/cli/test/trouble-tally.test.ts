import { channel } from "node:diagnostics_channel";
import { describe, expect, it, onTestFinished } from "vitest";
import { TroubleTally } from "../src/trouble-tally.ts";

let time = 1_000_000;

function tally(): TroubleTally {
  const troubles = new TroubleTally(() => time);
  onTestFinished(() => troubles.close());
  return troubles;
}

function fail(error: unknown, times: number = 1): void {
  for (let time = 0; time < times; time++) {
    channel("westend:message:failed").publish({
      pipeline: "orders",
      source: "memory",
      batcher: "sink",
      attempt: 1,
      action: "retry",
      delay: 0,
      error,
    });
  }
}

describe("TroubleTally", () => {
  it("counts equal errors together and gives what has grown most since it was last given", () => {
    const troubles = tally();
    fail(new Error("rare"));
    fail(new Error("frequent"), 3);

    expect(troubles.next()).toEqual({
      pipeline: "orders",
      what: "batcher sink failed, will retry",
      error: "Error: frequent",
      count: 3,
      first: time,
      last: time,
    });
    fail(new Error("frequent"));
    expect(troubles.next()).toMatchObject({ count: 1 });
    expect(troubles.next()).toMatchObject({ count: 4 });
    expect(troubles.next()).toBeUndefined();
  });

  it("knows since when an error comes up, and when it did last", () => {
    const troubles = tally();
    const first = time;
    fail(new Error("down"));
    time += 200_000;
    fail(new Error("down"));

    expect(troubles.of("orders")).toMatchObject([{ count: 2, first, last: first + 200_000 }]);
  });

  it("keeps a hundred errors apart and counts all others as one", () => {
    const troubles = tally();
    for (let id = 0; id < 1000; id++) fail(new Error(`no row ${id}`));

    expect(troubles.of("orders")).toHaveLength(101);
    expect(troubles.of("orders")[0]).toMatchObject({ error: "other errors", count: 900 });
  });

  it("counts what stages, sources and dead letters suffer, too", () => {
    const troubles = tally();
    const event = {
      pipeline: "orders",
      source: "memory",
      stage: "producers",
      error: new Error("x"),
    };
    for (const name of ["stage:restarting", "acknowledge:refused", "dead-letter:refused"]) {
      channel(`westend:${name}`).publish(event);
    }

    expect(troubles.of("orders").map(({ what }) => what)).toEqual([
      "producers crashed and starts again",
      "source memory refused acknowledgements",
      "dead letters could not be written",
    ]);
  });

  it("counts refusals for the same reason together, however many messages and however long the wait", () => {
    const troubles = tally();
    for (const wait of [100, 200, 400]) {
      const cause = new TypeError("no such table");
      const error = new Error(`did not take ${wait} letters, again in ${wait} ms.`, { cause });
      channel("westend:dead-letter:refused").publish({ pipeline: "orders", letters: wait, error });
    }

    expect(troubles.of("orders")).toMatchObject([{ count: 3, error: "TypeError: no such table" }]);
  });

  it("listens to nothing once it is closed", () => {
    new TroubleTally().close();

    expect(channel("westend:message:failed").hasSubscribers).toBe(false);
  });
});
