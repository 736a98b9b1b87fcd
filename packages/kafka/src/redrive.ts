import { checkRedriveOptions } from "./check-options.ts";
import type { KafkaDriver } from "./client.ts";
import { readLetter, recordBack, type StoredKafkaLetter } from "./stored-letter.ts";
import { openWriter } from "./open-writer.ts";
import type { RedriveOptions } from "./options.ts";
import { platformaticDriver } from "./platformatic/driver.ts";
import { encodeRecord } from "./record.ts";
import type { RecordWriter } from "./record-writer.ts";
import { markerOf, Markers } from "./redrive-markers.ts";
import { type Scanned, scan } from "./scan.ts";

/** Letters that are written back, and noted, together. */
const GROUP = 100;

export interface RedriveReport {
  /** Letters written back to where their messages came from; in a dry run those that would have been. */
  readonly redriven: number;
  /** Letters that `filter` left. */
  readonly left: number;
  /** Letters that cannot be written back: their value is not there, or is sealed and `edit` did not open it, or `edit` wanted it. */
  readonly skipped: number;
  /** Letters that had been written back before. */
  readonly before: number;
}

interface Counts {
  redriven: number;
  left: number;
  skipped: number;
  before: number;
}

/**
 * Writes the messages of a dead-letter topic back to where they came from: those that are there now, and have not been written back
 * before. What was is noted in the topic itself, with who did it; after a crash the last hundred at most are written back again.
 * @example
 * ```ts
 * await redrive({ brokers: "localhost:9092", topic: "events.dlq", by: "ada", filter: ({ error }) => error.name === "TimeoutError" });
 * ```
 * @throws ConfigurationError that lists every mistake in the options; KafkaError if something cannot be read or written.
 */
export async function redrive(options: RedriveOptions): Promise<RedriveReport> {
  checkRedriveOptions(options);
  const writer = openWriter(options);
  const driver = platformaticDriver(options)(READING(options.topic));
  try {
    const partitions = await writer.reach(options.topic);
    await driver.connect();
    return await redriveAll(driver, writer, partitions, options);
  } finally {
    await Promise.allSettled([driver.close(), writer.close()]);
  }
}

async function redriveAll(
  driver: KafkaDriver,
  writer: RecordWriter,
  partitions: number,
  options: RedriveOptions,
): Promise<RedriveReport> {
  const { topic, limit = Infinity } = options;
  const markers = new Markers();
  for await (const scanned of scan(driver, topic, partitions)) markers.read(scanned);
  const counts: Counts = { redriven: 0, left: 0, skipped: 0, before: 0 };
  let group: StoredKafkaLetter[] = [];
  for await (const scanned of scan(driver, topic, partitions)) {
    if (counts.redriven + group.length >= limit) break;
    const letter = choose(scanned, markers, options, counts);
    if (letter === undefined) continue;
    group.push(letter);
    if (group.length < GROUP) continue;
    await moveBack(writer, group, options, counts);
    group = [];
  }
  await moveBack(writer, group, options, counts);
  return counts;
}

function choose(
  scanned: Scanned,
  markers: Markers,
  { filter }: RedriveOptions,
  counts: Counts,
): StoredKafkaLetter | undefined {
  const letter = readLetter(scanned);
  // A note of an earlier redrive, or nothing of ours.
  if (letter === undefined) return undefined;
  if (markers.has(scanned)) counts.before++;
  else if (filter?.(letter) === false) counts.left++;
  else return letter;
  return undefined;
}

async function moveBack(
  writer: RecordWriter,
  letters: readonly StoredKafkaLetter[],
  { topic, by, edit, dryRun = false }: RedriveOptions,
  counts: Counts,
): Promise<void> {
  const moved: StoredKafkaLetter[] = [];
  const records = [];
  for (const letter of letters) {
    const value = edit === undefined ? letter.value : await edit(letter);
    const possible = edit === undefined ? !letter.omitted && !letter.sealed : value !== undefined;
    if (!possible || value === undefined) counts.skipped++;
    else {
      moved.push(letter);
      records.push(encodeRecord(recordBack(letter, value), undefined));
    }
  }
  counts.redriven += moved.length;
  if (dryRun || moved.length === 0) return;
  await writeAll(writer, records);
  const notes = markerOf(topic, by, moved).map((note) => encodeRecord(note, undefined));
  await writeAll(writer, notes);
}

async function writeAll(
  writer: RecordWriter,
  records: Parameters<RecordWriter["write"]>[0],
): Promise<void> {
  const error = (await writer.write(records)).find((each) => each !== undefined);
  if (error !== undefined) throw error;
}

/** For reading without a group: its name is not used. */
const READING = (topic: string): Parameters<ReturnType<typeof platformaticDriver>>[0] => ({
  groupId: "westend-redrive",
  groupInstanceId: undefined,
  topics: [topic],
  isolation: "committed",
  sessionTimeout: 45_000,
  rebalanceTimeout: 60_000,
  heartbeatInterval: 3_000,
  minBytes: 1,
  maxBytes: 8 * 2 ** 20,
  maxWait: 500,
  maxMessageBytes: 64 * 2 ** 20,
  maxHeaders: 10_000,
  maxBatchBytes: 64 * 2 ** 20,
});
