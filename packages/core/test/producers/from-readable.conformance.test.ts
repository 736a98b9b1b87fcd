import { Readable } from "node:stream";
import { ReadableStream } from "node:stream/web";
import { fromReadable } from "westend";
import { describeProducer } from "westend/testing";
import { describe, it } from "vitest";
import { ValueFeed } from "../support/value-feed.ts";

describeProducer({
  name: "fromReadable of a Node stream",
  describe,
  it,
  create() {
    const feed = new ValueFeed();
    const stream = Readable.from({ [Symbol.asyncIterator]: () => feed.asyncIterator() });
    return {
      producer: fromReadable<string>(stream),
      send: (values) => feed.send(values),
      finish: () => feed.finish(),
      close: () => void stream.destroy(),
    };
  },
  features: { order: true, live: true, finite: true, failed: "gone" },
});

describeProducer({
  name: "fromReadable of a web stream",
  describe,
  it,
  create() {
    const feed = new ValueFeed();
    const iterator = feed.asyncIterator();
    const stream = new ReadableStream<string>({
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
    });
    return {
      producer: fromReadable<string>(stream),
      send: (values) => feed.send(values),
      finish: () => feed.finish(),
    };
  },
  features: { order: true, live: true, finite: true, failed: "gone" },
});
