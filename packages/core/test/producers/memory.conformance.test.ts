import { memory } from "westend";
import { describeProducer } from "westend/testing";
import { describe, it } from "vitest";

describeProducer({
  name: "memory",
  describe,
  it,
  create() {
    const producer = memory<string>();
    return {
      producer,
      send: (values) => producer.push(...values),
      finish: () => producer.end(),
      counts: () => ({ waiting: producer.waiting, taken: producer.taken }),
    };
  },
  features: {
    order: true,
    live: true,
    finite: true,
    redelivery: true,
    release: true,
    sessions: true,
    failed: "gone",
    reopen: true,
  },
});
