import { type DeadLetter, definePipeline } from "westend";
import { kafka, type KafkaMetadata, type KafkaOptions } from "@westend/kafka";
import type { Topic } from "./events.ts";
import { soon } from "./member.ts";

export interface Seen {
  readonly data: string | null;
  readonly metadata: KafkaMetadata;
}

/** Reads a topic to its end. */
export async function readAll(
  { topic, ...rest }: Topic,
  options: Partial<KafkaOptions> = {},
): Promise<{ seen: Seen[]; letters: DeadLetter<unknown, KafkaMetadata>[] }> {
  const seen: Seen[] = [];
  const letters: DeadLetter<unknown, KafkaMetadata>[] = [];
  const running = await definePipeline({
    name: "read-all",
    producer: kafka({ ...soon, ...rest, topics: topic, finite: true, ...options }),
    processor: {
      handle: ({ data, metadata }) => void seen.push({ data: data && data.toString(), metadata }),
    },
    deadLetter: { name: "letters", write: (all: never) => void letters.push(...(all as [])) },
  }).start();
  await running.done;
  return { seen, letters };
}
