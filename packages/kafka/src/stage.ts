import type { Message } from "westend";
import { KafkaError, KafkaWriteError } from "./errors.ts";
import { type KafkaMessage, messageOf } from "./message.ts";
import { type EncodedRecord, encodeRecord, type NewKafkaRecord } from "./record.ts";

/** Bytes of a record: one that no broker takes would stop its source for good, so it has to be refused before. */
const LARGEST = 1_000_000;

interface Staged<Each> {
  readonly message: Each;
  readonly origin: KafkaMessage;
  readonly record: EncodedRecord;
  readonly partition: number;
}

/** Lays records ready for the transactions that commit their messages. */
export async function stage<Data, Metadata>(
  messages: readonly Message<Data, Metadata>[],
  record: (message: Message<Data, Metadata>) => NewKafkaRecord,
  signal: AbortSignal,
): Promise<void> {
  const staged: Staged<Message<Data, Metadata>>[] = [];
  for (const message of messages) {
    try {
      staged.push({ message, ...(await prepare(message.metadata, record(message))) });
    } catch (error) {
      message.fail(error);
    }
  }
  // From here on at once: what is laid ready counts, and so does the success of the handler.
  signal.throwIfAborted();
  for (const { message, origin, record, partition } of staged) {
    if (origin.owner.gone) message.fail(foreign());
    else if (origin.done) message.fail(acknowledgedBefore());
    else origin.owner.outbox?.stage(origin.offset, { record, partition });
  }
}

async function prepare(
  metadata: unknown,
  made: NewKafkaRecord,
): Promise<Omit<Staged<unknown>, "message">> {
  const origin = messageOf(metadata);
  const outbox = origin?.owner.outbox;
  if (origin === undefined || outbox === undefined) throw foreign();
  const record = encodeRecord(made, undefined);
  const { topic, size } = record;
  if (size > LARGEST) {
    const message = `A record for ${topic} has ${size} bytes; in a transaction there may be ${LARGEST}. Send less.`;
    throw new KafkaWriteError("KAFKA_REFUSED", message, {
      topic,
      brokerError: "MESSAGE_TOO_LARGE",
    });
  }
  return { origin, record, partition: await outbox.place(record) };
}

function foreign(): KafkaError {
  return new KafkaError(
    "KAFKA_TRANSACTION",
    "Only messages that this source has handed over and still owns can be sent in its transactions, and only if it has a `transactionalId`. Send others with `toKafka`.",
  );
}

/** Its commit may be under way or made: what is sent now would not be one with it. */
function acknowledgedBefore(): KafkaError {
  return new KafkaError(
    "KAFKA_TRANSACTION",
    "The message was acknowledged by `ackNow` before, so that what it gives rise to cannot be sent in the transaction that commits it. Leave `ackNow` out.",
  );
}
