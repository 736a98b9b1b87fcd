import { describe, expect, it } from "vitest";
import { postgresQueue } from "@westend/postgres";

/** A queue on a server that must not be asked. */
const queue = postgresQueue({ query: () => Promise.reject(new Error("the server was asked")) });

describe("a postgresQueue, before it asks the server,", () => {
  it("does not take a single text for messages", async () => {
    // @ts-expect-error -- text is an iterable, of characters
    const enqueued = queue.enqueueAll("hunter2");
    await expect(enqueued).rejects.toThrow(
      "messages: expected an iterable, got a string of length 7. Put a single one into an array, or use `enqueue`.",
    );
  });
});
