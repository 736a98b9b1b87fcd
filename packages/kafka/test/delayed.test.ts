import { type DeadLetter, definePipeline, text } from "westend";
import { expect, it } from "vitest";
import { describeWith, sharedKafka, uniqueName } from "test-servers/vitest";
import { kafka, retryTopics } from "@westend/kafka";
import { encodeRecord } from "../src/record.ts";
import { openWriter } from "../src/open-writer.ts";

describeWith("kafka", "retry topics, read again by the source,", () => {
  const { brokers, admin } = sharedKafka();

  it("hand a failed message over again when its time has come, while others go on", async () => {
    const [events, first, second] = ["events", "retry.1", "retry.2"].map(uniqueName) as [
      string,
      string,
      string,
    ];
    for (const topic of [events, first, second]) await admin.createTopic(topic);
    const writer = openWriter({ brokers });
    await writer.write(["bad", "good"].map((value) => encodeRecord({ value }, events)));
    await writer.close();

    const delayed = [
      { topic: first, delay: 500 },
      { topic: second, delay: 1_000 },
    ];
    const dead: DeadLetter[] = [];
    const seen: { data: string; topic: string; early: boolean }[] = [];
    let finish = (): void => undefined;
    const done = new Promise<void>((resolve) => (finish = resolve));
    const pipeline = definePipeline({
      name: "delayed",
      producer: kafka({ brokers, groupId: uniqueName("group"), topics: events, delayed }),
      decoder: text(),
      processor: {
        handle(message) {
          const { topic, timestamp } = message.metadata;
          const delay = delayed.find((one) => one.topic === topic)?.delay ?? 0;
          seen.push({ data: message.data, topic, early: Date.now() < timestamp + delay });
          if (message.data === "bad") message.fail(new Error("not yet"));
        },
      },
      deadLetter: retryTopics({
        brokers,
        delayed,
        deadLetter: {
          name: "dead",
          write(letters: readonly DeadLetter[]) {
            dead.push(...letters);
            finish();
          },
        },
      }),
    });
    await using running = await pipeline.start();
    await done;
    await running.stop();
    expect(seen).toEqual([
      { data: "bad", topic: events, early: false },
      { data: "good", topic: events, early: false },
      { data: "bad", topic: first, early: false },
      { data: "bad", topic: second, early: false },
    ]);
    expect(dead).toMatchObject([{ attempts: 3, metadata: { topic: events, offset: 0n } }]);
  });
});
