import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Message, type RoutedMessage } from "../src/message.ts";
import { received } from "./support/routed.ts";

function message(data: unknown, attempt = 1): Message<unknown> {
  return new Message(data, attempt, received("payload"));
}

const route = (made: unknown): RoutedMessage => made as RoutedMessage;

describe("Message.to", () => {
  it("sends the same data on if none is given", () => {
    const data = { some: "data" };
    expect(route(message(data).to("sink")).data).toBe(data);
  });

  it("sends on what it is given, be it undefined", () => {
    expect(route(message("data").to("sink", "other")).data).toBe("other");
    expect(route(message("data").to("sink", undefined)).data).toBeUndefined();
  });

  it("keeps what is said about the way", () => {
    const made = route(message("data").to("sink", "data", { key: "key", flush: true, size: 7 }));
    expect(made.batcher).toBe("sink");
    expect(made.options).toEqual({ key: "key", flush: true, size: 7 });
  });

  it("keeps it as it was: one object of options serves for many routes", () => {
    const options = { key: "", flush: false };
    const made = ["a", "b"].map((key) => {
      options.key = key;
      return route(message("data").to("sink", "data", options));
    });
    options.flush = true;
    expect(made.map((one) => [one.options?.key, one.options?.flush])).toEqual([
      ["a", false],
      ["b", false],
    ]);
  });

  it("makes a new message each time, of the same origin and attempt", () => {
    const made = message("data", 3);
    const [first, second] = [route(made.to("sink")), route(made.to("sink"))];
    expect(first).not.toBe(second);
    expect([first.attempt, second.attempt]).toEqual([3, 3]);
    expect(first.metadata).toBe(made.metadata);
  });
});

describe("Message", () => {
  it("shows no payload, key or metadata when it is printed", () => {
    const delivery = received({ secret: "payload" });
    delivery.key = "secret key";
    const made = new Message({ secret: "data" }, 2, delivery);
    const printed = [made, made.to("sink")].map((one) => inspect(one, { depth: 9 }));
    expect(printed).toEqual([
      "Message { source: 'source', attempt: 2 }",
      "RoutedMessage { source: 'source', attempt: 2 }",
    ]);
  });

  it("takes the last word of fail and drop", () => {
    const made = message("data");
    made.fail("reason");
    made.drop("other");
    expect([made.verdict, made.reason]).toEqual(["dropped", "other"]);
  });

  it("hands what is given to configureAck to its origin", () => {
    const delivery = received("payload");
    new Message("data", 1, delivery).configureAck({ requeue: true } as never);
    expect(delivery.ackOptions).toEqual({ requeue: true });
  });
});
