import type { KafkaConnectionOptions, KafkaWriteOptions } from "./options.ts";
import { PlatformaticRecordClient } from "./platformatic/record-client.ts";
import { RecordWriter } from "./record-writer.ts";

/** A writer over the default client, every default filled in; it connects with the first record. */
export function openWriter(options: KafkaConnectionOptions & KafkaWriteOptions): RecordWriter {
  return new RecordWriter({
    client: new PlatformaticRecordClient(options),
    batchBytes: options.batchBytes ?? 1_000_000,
    deliveryTimeout: options.deliveryTimeout ?? 30_000,
  });
}
