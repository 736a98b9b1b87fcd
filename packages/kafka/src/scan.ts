import type { KafkaDriver, KafkaRecord, TopicPartition, Wanted } from "./client.ts";

const MAX_BYTES = 2 ** 20;
/** Milliseconds before a leader is looked for again. */
const PAUSE = 200;

export interface Scanned {
  readonly partition: number;
  readonly record: KafkaRecord;
}

/** All that a topic holds at this moment, one partition after the other; without a group. */
export async function* scan(
  driver: KafkaDriver,
  topic: string,
  partitions: number,
): AsyncGenerator<Scanned> {
  const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  const begins = await driver.offsets(places, "earliest");
  const ends = await driver.offsets(places, "latest");
  for (const [index, place] of places.entries()) {
    const range = { from: begins[index] ?? 0, to: ends[index] ?? 0 };
    for await (const record of scanPartition(driver, place, range)) {
      yield { partition: place.partition, record };
    }
  }
}

async function* scanPartition(
  driver: KafkaDriver,
  place: TopicPartition,
  { from, to }: { readonly from: number; readonly to: number },
): AsyncGenerator<KafkaRecord> {
  for (let offset = from; offset < to;) {
    const fetched = await fetchFrom(driver, { ...place, offset, maxBytes: MAX_BYTES });
    if (fetched?.problem === "outOfRange") {
      // What was there is deleted by now.
      const [begin = to] = await driver.offsets([place], "earliest");
      offset = Math.max(begin, offset + 1);
      continue;
    }
    if (fetched?.problem instanceof Error) throw fetched.problem;
    if (fetched?.records === undefined) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      continue;
    }
    for (let record = fetched.records.next(); record; record = fetched.records.next()) {
      if (record.offset < to) yield record;
    }
    offset = fetched.records.end;
  }
}

async function fetchFrom(driver: KafkaDriver, wanted: Wanted) {
  const [broker] = (await driver.leaders([wanted])).keys();
  return broker === undefined ? undefined : (await driver.poll(broker, [wanted]))[0];
}
