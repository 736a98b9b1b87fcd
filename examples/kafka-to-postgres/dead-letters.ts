import { kafka } from "@westend/kafka";
import { definePipeline, text } from "westend";

import { DEAD_LETTERS } from "./topics.ts";

/** What the topic of dead letters holds: why, by the key of the event. */
export async function deadLetters(brokers: string[]): Promise<ReadonlyMap<string, string>> {
  const letters = new Map<string, string>();
  const reader = definePipeline({
    name: "dead-letters",
    producer: kafka({
      brokers,
      groupId: `dead-letters-${process.pid}`,
      topics: DEAD_LETTERS,
      finite: true,
    }),
    decoder: text(),
    processor: {
      concurrency: 1,
      handle(message) {
        const { key, headers } = message.metadata;
        const [error = ""] = String(headers.get("westend-error-message")).split("\n");
        letters.set(String(key), error);
      },
    },
  });
  await using running = await reader.start();
  await running.done;
  return letters;
}
