// What cannot work does not compile. How the compiler puts it: test/compiler-messages.test.ts in the root.
import { definePipeline, fromIterable, json, memory, retry, schema } from "westend";
import { z } from "zod";

const producer = fromIterable(["a"]);

definePipeline({
  name: "a batcher is missing",
  producer,
  processor: {
    handle: (message) => (message.data === "" ? message.to("audit") : message.to("ledger")),
  },
  // @ts-expect-error
  batchers: { ledger: { handle() {} } },
});

definePipeline({
  name: "a batcher is misspelt",
  producer,
  processor: { handle: (message) => message.to("ledger") },
  batchers: {
    ledger: { handle() {} },
    // @ts-expect-error
    leger: { handle() {} },
  },
});

definePipeline(
  // @ts-expect-error
  {
    name: "there are no batchers",
    producer,
    processor: { handle: (message) => message.to("ledger") },
  },
);

definePipeline(
  // @ts-expect-error
  {
    name: "there is no source",
    processor: { handle() {} },
  },
);

definePipeline({
  name: "a batcher nobody sends to",
  producer,
  processor: { handle() {} },
  // @ts-expect-error
  batchers: { ledger: { handle() {} } },
});

definePipeline({
  name: "the decoder takes something else",
  producer: fromIterable([1]),
  // @ts-expect-error
  decoder: json(),
  processor: { handle() {} },
});

definePipeline({
  name: "the schema takes something else",
  producer: fromIterable([1]),
  // @ts-expect-error
  decoder: schema(z.string()),
  processor: { handle() {} },
});

definePipeline({
  name: "the message itself is returned",
  producer,
  processor: {
    // @ts-expect-error
    handle: (message) => message,
  },
});

definePipeline({
  name: "data is returned",
  producer,
  processor: {
    // @ts-expect-error
    async handle(message) {
      return { id: message.data };
    },
  },
});

definePipeline({
  name: "an unknown option",
  producer,
  // @ts-expect-error
  maxInflight: 100,
  processor: { handle() {} },
});

definePipeline({
  name: "an unknown option of the processor",
  producer,
  processor: {
    // @ts-expect-error
    concurency: 10,
    handle() {},
  },
});

definePipeline({
  name: "an unknown option of a batcher",
  producer,
  processor: { handle: (message) => message.to("ledger") },
  batchers: {
    ledger: {
      // @ts-expect-error
      batchSize: 10,
      handle() {},
    },
  },
});

definePipeline({
  name: "a batcher without a handler",
  producer,
  processor: { handle: (message) => message.to("ledger") },
  batchers: {
    // @ts-expect-error
    ledger: { size: 10 },
  },
});

definePipeline({
  name: "the fields of another type",
  producer: memory<{ id: string }>(),
  processor: {
    handle(message) {
      // @ts-expect-error
      return message.to("ledger", message.data.total);
    },
  },
  batchers: { ledger: { handle() {} } },
});

definePipeline({
  name: "what is read-only is changed",
  producer,
  processor: {
    handle(message) {
      // @ts-expect-error
      message.data = "b";
      // @ts-expect-error
      message.metadata.index = 1;
    },
  },
});

definePipeline({
  name: "a batch handler returns something",
  producer,
  processor: { handle: (message) => message.to("ledger") },
  batchers: {
    ledger: {
      // @ts-expect-error
      handle: (messages) => messages.length,
    },
  },
});

definePipeline({
  name: "nothing can be configured",
  producer,
  processor: {
    handle(message) {
      // @ts-expect-error
      message.configureAck({ onFailure: "requeue" });
    },
  },
});

// @ts-expect-error
retry({});
// @ts-expect-error
retry({ attempts: 3, whenExhausted: "explode" });
