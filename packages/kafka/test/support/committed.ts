import { definePipeline, text } from "westend";
import { uniqueName } from "test-servers/vitest";
import { kafka } from "@westend/kafka";

/**
 * The values of a topic as a reader of what is committed sees them, when there are enough: a commit is answered before its
 * partitions have been told of it. Not by the bare client: of several transactions that one producer
 * gave up, it leaves out the last one only (2.12.1).
 */
export async function readCommitted(
  brokers: string[],
  topic: string,
  enough: number,
): Promise<string[]> {
  for (;;) {
    const values = await readOnce(brokers, topic);
    if (values.length >= enough) return values;
  }
}

async function readOnce(brokers: string[], topic: string): Promise<string[]> {
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
