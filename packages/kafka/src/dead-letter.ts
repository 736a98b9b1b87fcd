import type { DeadLetter, DeadLetterSink } from "westend";
import { checkDeadLetterOptions } from "./check-options.ts";
import { originOf, recordOf, withoutValue } from "./letter.ts";
import { openWriter } from "./open-writer.ts";
import type { KafkaDeadLetterOptions } from "./options.ts";
import { encodeRecord } from "./record.ts";
import type { RecordWriter } from "./record-writer.ts";

const TOO_LARGE: readonly (string | undefined)[] = ["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"];

/**
 * A Kafka topic as the place for dead letters, of any source. Messages of Kafka keep their key, value and headers as they are;
 * what became of them is in headers that begin with `westend-`. After a crash a letter may be there twice, with the same
 * `westend-topic`, `-partition` and `-offset`.
 * @example
 * ```ts
 * const deadLetter = kafkaDeadLetter({ brokers: "localhost:9092", topic: "events.dlq" });
 * ```
 * @throws ConfigurationError that lists every mistake in the options.
 */
export function kafkaDeadLetter(options: KafkaDeadLetterOptions): DeadLetterSink<unknown, unknown> {
  checkDeadLetterOptions(options);
  let writer: RecordWriter | undefined;
  return {
    name: "kafka",
    async open() {
      writer = openWriter(options);
      await writer.reach(options.topic);
    },
    async write(letters, signal) {
      writer ??= openWriter(options);
      await writeLetters(writer, letters, options, signal);
    },
    async close() {
      await writer?.close();
      writer = undefined;
    },
  };
}

/** Writes all of them, or throws; what the topic finds too large goes without its value, if it can be found again. */
async function writeLetters(
  writer: RecordWriter,
  letters: readonly DeadLetter[],
  options: KafkaDeadLetterOptions,
  signal: AbortSignal,
): Promise<void> {
  const records = letters.map((letter) => encodeRecord(recordOf(letter, options), undefined));
  const errors = await writer.write(records, signal);
  const tooLarge = records.filter(
    (_, index) =>
      TOO_LARGE.includes(errors[index]?.brokerError) &&
      originOf(letters[index]?.metadata) !== undefined,
  );
  const others = errors.filter((_, index) => !tooLarge.includes(records[index]!));
  const again = await writer.write(tooLarge.map(withoutValue), signal);
  const error = [...others, ...again].find((each) => each !== undefined);
  if (error !== undefined) throw error;
}
