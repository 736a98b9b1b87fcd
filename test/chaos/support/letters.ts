import { kafka } from "@westend/kafka";
import { uniqueName } from "test-servers/vitest";
import { definePipeline } from "westend";

/** What a dead letter says in its headers. */
export type Letter = ReadonlyMap<string, string>;

/** Everything in a topic of dead letters. */
export async function lettersIn(brokers: readonly string[], topic: string): Promise<Letter[]> {
  const letters: Letter[] = [];
  const reader = definePipeline({
    name: "letters",
    producer: kafka({ brokers, groupId: uniqueName("letters"), topics: topic, finite: true }),
    processor: {
      handle({ metadata }) {
        letters.push(
          new Map([...metadata.headers].map(([name, value]) => [name, String(value)] as const)),
        );
      },
    },
  });
  const running = await reader.start();
  await running.done;
  return letters;
}
