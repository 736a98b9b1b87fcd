import type { Message } from "westend";
import { checkToKafkaOptions } from "./check-options.ts";
import type { KafkaWriteError } from "./errors.ts";
import { openWriter } from "./open-writer.ts";
import type { ToKafkaOptions } from "./options.ts";
import { type EncodedRecord, encodeRecord, type NewKafkaRecord } from "./record.ts";

/** Writes batches to Kafka topics. */
export interface KafkaSink extends AsyncDisposable {
  /**
   * Writes a record for each message, and fails those that are not known to be written; the others have succeeded.
   * Resolves when all brokers have answered for what they and their followers have, or `deliveryTimeout` is over.
   * @throws KafkaWriteError if none was written, all for the same reason.
   */
  send<Data, Metadata>(
    messages: readonly Message<Data, Metadata>[],
    record: (message: Message<Data, Metadata>) => NewKafkaRecord,
    signal?: AbortSignal,
  ): Promise<void>;
  /** Waits for what is being written, and disconnects. */
  close(): Promise<void>;
}

/**
 * Kafka topics as a sink: idempotent, acknowledged by all replicas that are in sync, one request at a time with all that has come.
 * @example
 * ```ts
 * const out = toKafka({ brokers: "localhost:9092", topic: "orders.enriched" });
 * // batchers: { out: { handle: (messages, _batch, signal) => out.send(messages, ({ data }) => ({ key: data.id, value: JSON.stringify(data) }), signal) } }
 * ```
 * @throws ConfigurationError that lists every mistake in the options.
 */
export function toKafka(options: ToKafkaOptions): KafkaSink {
  checkToKafkaOptions(options);
  const writer = openWriter(options);
  const close = (): Promise<void> => writer.close();
  return {
    async send(messages, record, signal) {
      const sent: { fail(reason: unknown): void }[] = [];
      const records: EncodedRecord[] = [];
      for (const message of messages) {
        try {
          records.push(encodeRecord(record(message), options.topic));
          sent.push(message);
        } catch (error) {
          message.fail(error);
        }
      }
      const errors = await writer.write(records, signal);
      const shared = sharedError(errors);
      if (shared !== undefined && sent.length === messages.length) throw shared;
      for (const [index, error] of errors.entries()) {
        if (error !== undefined) sent[index]?.fail(error);
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The error of all of them, if it is one and the same: the batch is tried again as a whole then. */
function sharedError(
  errors: readonly (KafkaWriteError | undefined)[],
): KafkaWriteError | undefined {
  const [first] = errors;
  return errors.every((error) => error === first) ? first : undefined;
}
