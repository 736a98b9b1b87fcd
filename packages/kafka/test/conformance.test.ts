import { describe, it } from "vitest";
import { systemClock } from "westend";
import { describeProducer, type ProducerFeatures } from "westend/testing";
import { kafka } from "@westend/kafka";
import { describeWith, sharedKafka, uniqueName } from "test-servers/vitest";
import { writeEvents } from "./support/events.ts";

const common: ProducerFeatures = {
  order: true,
  redelivery: true,
  release: true,
  sizes: true,
  key: true,
  failed: "again",
  reopen: true,
};

/** One partition: only within one there is an order. */
function suite(name: string, features: ProducerFeatures, finite: boolean): void {
  describeProducer({
    name,
    describe,
    it,
    clock: systemClock,
    features: { ...common, ...features },
    async create() {
      const { brokers, admin } = sharedKafka();
      const topic = uniqueName("conformance");
      await admin.createTopic(topic);
      return {
        producer: kafka({
          brokers,
          groupId: topic,
          topics: topic,
          finite,
          retryDelay: 50,
          fetch: { maxWait: 100 },
        }),
        send: (values, { key } = {}) =>
          writeEvents(
            brokers,
            topic,
            values.map((value) => ({ value, key })),
          ),
        // It ends with what was there when it was opened.
        finish: () => {},
        textOf: (payload) => payload?.toString() ?? "",
      };
    },
  });
}

describeWith("kafka", "kafka()", () => {
  suite("a topic that goes on", { live: true, sessions: true }, false);
  suite("a topic until its end", { finite: true }, true);
});
