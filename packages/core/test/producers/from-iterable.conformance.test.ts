import { fromIterable } from "westend";
import { describeProducer } from "westend/testing";
import { describe, it } from "vitest";
import { ValueFeed } from "../support/value-feed.ts";

describeProducer({
  name: "fromIterable of an iterable",
  describe,
  it,
  create() {
    const feed = new ValueFeed();
    return {
      producer: fromIterable<string>({ [Symbol.iterator]: () => feed.iterator() }),
      send: (values) => feed.send(values),
      finish: () => feed.finish(),
      counts: () => ({ waiting: feed.waiting, taken: 0 }),
    };
  },
  features: { order: true, finite: true, failed: "gone", reopen: true },
});

describeProducer({
  name: "fromIterable of an async iterable",
  describe,
  it,
  create() {
    const feed = new ValueFeed();
    return {
      producer: fromIterable<string>({ [Symbol.asyncIterator]: () => feed.asyncIterator() }),
      send: (values) => feed.send(values),
      finish: () => feed.finish(),
      counts: () => ({ waiting: feed.waiting, taken: 0 }),
    };
  },
  features: { order: true, live: true, finite: true, failed: "gone", reopen: true },
});
