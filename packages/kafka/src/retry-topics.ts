import { type DeadLetter, DecodeError, type DeadLetterSink } from "westend";
import { checkRetryTopicsOptions } from "./check-options.ts";
import { originOf, recordOf, restore } from "./letter.ts";
import { openWriter } from "./open-writer.ts";
import type { RetryTopicsOptions } from "./options.ts";
import { encodeRecord } from "./record.ts";
import type { RecordWriter } from "./record-writer.ts";
import { isFault } from "./write-errors.ts";

/** A letter, and the topic it waits in next; none if it has been through all of them. */
interface Step {
  readonly letter: DeadLetter;
  readonly topic: string | undefined;
}

/**
 * Tries failed messages again later, without holding up those behind them: a message that ran out of policy waits in the first of
 * these topics, then in the next, and only then becomes a dead letter. The source reads the topics as well, with the same `delayed`.
 * @example
 * ```ts
 * const delayed = [{ topic: "events.retry.1m", delay: 60_000 }, { topic: "events.retry.10m", delay: 600_000 }];
 * // producer: kafka({ brokers, groupId, topics: "events", delayed })
 * // deadLetter: retryTopics({ brokers, delayed, deadLetter: kafkaDeadLetter({ brokers, topic: "events.dlq" }) })
 * ```
 * @throws ConfigurationError that lists every mistake in the options.
 */
export function retryTopics(options: RetryTopicsOptions): DeadLetterSink<unknown, unknown> {
  checkRetryTopicsOptions(options);
  const { delayed, deadLetter } = options;
  let writer: RecordWriter | undefined;
  return {
    name: "retry topics",
    async open() {
      writer = openWriter(options);
      for (const { topic } of delayed) await writer.reach(topic);
      await deadLetter.open?.();
    },
    async write(letters, signal) {
      writer ??= openWriter(options);
      const steps = letters.map((letter) => nextStep(letter, options));
      const dead = await writeDelayed(writer, steps, signal);
      if (dead.length > 0) await deadLetter.write(dead, signal);
    },
    async close() {
      await writer?.close();
      writer = undefined;
      await deadLetter.close?.();
    },
  };
}

function nextStep(letter: DeadLetter, { delayed, when = isPassing }: RetryTopicsOptions): Step {
  const origin = originOf(letter.metadata);
  // Without its content a message would come back empty.
  if (origin === undefined || origin.defect !== undefined) return { letter, topic: undefined };
  const before = delayed.findIndex(({ topic }) => topic === origin.topic);
  // Headers that say where a message comes from count only where nobody but us writes.
  const original = before === -1 ? letter : restore(letter, origin);
  const topic = when(letter) ? delayed[before + 1]?.topic : undefined;
  return { letter: original, topic };
}

function isPassing({ reason }: DeadLetter): boolean {
  return !(reason instanceof DecodeError);
}

/** Writes what is to wait, or throws; gives back what is not to wait, or what the topics do not take. */
async function writeDelayed(
  writer: RecordWriter,
  steps: readonly Step[],
  signal: AbortSignal,
): Promise<DeadLetter[]> {
  const dead = steps.flatMap(({ letter, topic }) => (topic === undefined ? [letter] : []));
  const waiting = steps.flatMap(({ letter, topic }) =>
    topic === undefined ? [] : [{ letter, topic }],
  );
  const records = waiting.map(({ letter, topic }) =>
    encodeRecord(recordOf(letter, { topic, seal: undefined }), undefined),
  );
  const errors = await writer.write(records, signal);
  for (const [index, error] of errors.entries()) {
    if (error === undefined) continue;
    if (!isFault(error.brokerError)) throw error;
    dead.push((waiting[index] as (typeof waiting)[number]).letter);
  }
  return dead;
}
