import { describe, expect, it } from "vitest";
import { postgresQueue } from "@westend/postgres";

/** A queue on a server that must not be asked. */
const queue = postgresQueue({ query: () => Promise.reject(new Error("the server was asked")) });

describe("a postgresQueue, before it asks the server,", () => {
  it("does not take a single text for messages", async () => {
    // @ts-expect-error -- text is an iterable, of characters
    const enqueued = queue.enqueueAll("hunter2");
    await expect(enqueued).rejects.toThrow(
      "messages: expected an iterable, got text. Put a single one into an array.",
    );
  });

  it("refuses options that there are not, and says which was meant", async () => {
    // @ts-expect-error -- there is no such option
    const one = queue.enqueue("a", { keyy: "hunter2" });
    await expect(one).rejects.toThrow(
      "enqueue: 1 mistake\n  keyy: expected one of key, delay, transaction, got an unknown option. Did you mean key?",
    );
    const several = queue.enqueueAll(["a", { payload: "b", dealy: 7 } as { payload: string }]);
    await expect(several).rejects.toThrow(
      "enqueueAll: 1 mistake\n  dealy: expected one of payload, key, delay, got an unknown option. Did you mean delay?",
    );
  });
});
