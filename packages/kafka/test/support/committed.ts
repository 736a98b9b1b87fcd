import { definePipeline, text } from "westend";
import { uniqueName } from "test-servers/vitest";
import { kafka } from "@westend/kafka";

/**
 * The values of a topic as a reader of what is committed sees them. Not by the bare client: of several transactions that one producer
 * gave up, it leaves out the last one only (2.12.1).
 */
export async function readCommitted(brokers: string[], topic: string): Promise<string[]> {
  const values: string[] = [];
  const pipeline = definePipeline({
    name: "reader",
    producer: kafka({ brokers, groupId: uniqueName("reader"), topics: topic, finite: true }),
    decoder: text(),
    processor: { handle: (message) => void values.push(message.data) },
  });
  const running = await pipeline.start();
  await running.done;
  return values;
}
