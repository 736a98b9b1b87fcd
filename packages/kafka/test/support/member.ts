import { definePipeline, type RunningPipeline } from "westend";
import { onTestFinished } from "vitest";
import { kafka, type KafkaOptions, type KafkaProducer } from "@westend/kafka";

/** Where a message was handled: `partition:offset`. */
export type Place = string;

export interface MemberOptions extends Partial<KafkaOptions> {
  readonly brokers: string[];
  readonly topic: string;
  readonly groupId: string;
  readonly concurrency?: number;
  readonly sessions?: number;
  readonly maxInFlight?: number;
  /** Called for each message; `place` is noted when it has ended. */
  handle?(message: {
    readonly place: Place;
    readonly partition: number;
    readonly offset: number;
  }): unknown;
}

/** A pipeline in a group that notes what it has handled. */
export interface Member {
  readonly source: KafkaProducer;
  readonly running: RunningPipeline<never>;
  readonly handled: Place[];
}

/** Times that let a test of a rebalance end soon. */
export const soon = {
  heartbeatInterval: 100,
  commitInterval: 100,
  fetch: { maxWait: 100 },
} as const;

/** Is stopped when the test has ended, if it still runs. */
export async function startMember(options: MemberOptions): Promise<Member> {
  const { topic, concurrency = 10, sessions = 1, maxInFlight, handle, ...rest } = options;
  const source = kafka({ ...soon, topics: topic, ...rest });
  const handled: Place[] = [];
  const running = await definePipeline({
    name: "member",
    producer: { producer: source, concurrency: sessions },
    ...(maxInFlight === undefined ? {} : { maxInFlight }),
    processor: {
      concurrency,
      async handle({ metadata: { partition, offset } }) {
        const place = `${partition}:${offset}`;
        await handle?.({ place, partition, offset: Number(offset) });
        handled.push(place);
      },
    },
  }).start();
  onTestFinished(async () => void (await running.stop({ timeout: 5000 })));
  return { source, running: running as unknown as RunningPipeline<never>, handled };
}

/** So many events, spread over partitions. */
export function eventsFor(
  partitions: number,
  count: number,
): { value: string; key: string; partition: number }[] {
  return Array.from({ length: count }, (_, index) => ({
    value: `{"id":${index}}`,
    key: `key-${index % 50}`,
    partition: index % partitions,
  }));
}
