import { subscribe } from "node:diagnostics_channel";
import { setTimeout as sleep } from "node:timers/promises";
import { kafka, kafkaDeadLetter } from "@westend/kafka";
import { batchInsert, postgresInbox, retryable } from "@westend/postgres";
import pg from "pg";
import {
  type Decoder,
  definePipeline,
  exponential,
  json,
  retry,
  type RunningPipeline,
  type TelemetryEvents,
} from "westend";
import { Ownership } from "./ownership.ts";
import { EFFECTS, type Event, type MemberOptions, type Notice, type Order } from "./protocol.ts";

/** What is to be known of a connector's events. */
interface Told {
  readonly partitions?: readonly { readonly topic: string; readonly partition: number }[];
  readonly error?: Error;
}

const members = new Map<string, RunningPipeline>();
const ownerships = new Map<string, Ownership>();

function say(member: string, what: Notice["what"], text = "", code?: string): void {
  process.send?.({ member, what, text, code } satisfies Notice);
}

subscribe("westend:producer:event", (message) => {
  const { pipeline, event, fields } = message as TelemetryEvents["westend:producer:event"];
  const { partitions = [], error } = fields as Told;
  if (event === "assigned") {
    for (const { partition } of partitions) ownerships.get(pipeline)?.assigned(partition);
  }
  if (event === "lag") return;
  const what = partitions.map(({ partition }) => partition).join();
  say(pipeline, "event", [event, error?.message ?? what].filter(Boolean).join(" "), codeOf(error));
});

async function join(options: MemberOptions): Promise<void> {
  const { name, brokers, topic, group, database, table, credentials, sessionTimeout } = options;
  const ownership = new Ownership(name, (text) => say(name, "violation", text));
  ownerships.set(name, ownership);
  const pool = new pg.Pool({ connectionString: database, max: 4, connectionTimeoutMillis: 5000 });
  pool.on("error", () => undefined);
  // With nothing but the faults of this machine a statement is never given up: it would be written twice, which counts as a repeat.
  const timeout = options.inbox ? 5000 : 60_000;
  const effects = batchInsert(pool, { table, columns: EFFECTS, timeout });
  const inbox = postgresInbox(pool, { name: "effects", timeout });
  let blocks = options.block;

  const pipeline = definePipeline({
    name,
    producer: kafka({
      brokers,
      groupId: group,
      topics: topic,
      groupInstanceId: options.instance,
      sasl: credentials && {
        mechanism: "SCRAM-SHA-512",
        username: credentials[0],
        password: credentials[1],
      },
      insecure: true,
      sessionTimeout,
      rebalanceTimeout: Math.max(10_000, sessionTimeout),
      heartbeatInterval: 500,
      commitInterval: 500,
    }),
    decoder: json() as Decoder<Buffer | null, Event>,
    processor: {
      concurrency: 20,
      async handle(message) {
        const { id, key, work = 0, block = false, poison = false } = message.data;
        const { partition, offset, timestamp } = message.metadata;
        const place = Number(offset);
        const owner = ownership.begin(partition, place, key);
        try {
          if (work > 0) await sleep(work);
          if (block && blocks !== undefined) {
            hold(blocks);
            blocks = undefined;
          }
        } finally {
          ownership.end(owner, partition, key);
        }
        return message.to("effects", {
          owner,
          part: partition,
          place,
          key: poison ? "poison" : key,
          id,
          produced: timestamp,
        });
      },
    },
    batchers: {
      effects: {
        size: 100,
        timeout: 100,
        concurrency: 2,
        partitionBy: ({ data }) => data.key,
        retry: retry({
          attempts: Infinity,
          backoff: exponential({ initial: 50, max: 1000 }),
          when: retryable,
        }),
        async handle(messages) {
          if (!options.inbox) return effects.handle(messages);
          return inbox.handle(messages, {
            id: ({ data }) => `${data.part}/${data.place}`,
            apply: (fresh, transaction) =>
              effects.insert(
                fresh.map(({ data }) => data),
                transaction,
              ),
          });
        },
      },
    },
    deadLetter:
      options.deadLetters === undefined
        ? undefined
        : kafkaDeadLetter({ brokers, topic: options.deadLetters }),
  });

  try {
    await effects.open();
    const running = await pipeline.start();
    members.set(name, running);
    say(name, "joined");
    const report = await running.done;
    say(name, "left", JSON.stringify(report));
  } catch (error) {
    say(name, members.has(name) ? "died" : "refused", wordsOf(error), codeOf(error));
  } finally {
    members.delete(name);
    await pool.end();
  }
}

/** Busy, as code is that does not know of others. */
function hold(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** With what caused it. */
function wordsOf(error: unknown): string {
  const { cause } = error as { readonly cause?: unknown };
  return cause === undefined ? String(error) : `${String(error)} < ${wordsOf(cause)}`;
}

function codeOf(error: unknown): string | undefined {
  return (error as { readonly code?: string } | undefined)?.code;
}

process.on("message", (order: Order) => {
  if ("join" in order) void join(order.join);
  else void members.get(order.leave)?.stop({ timeout: 20_000 });
});
// Whoever gives the orders is gone.
process.on("disconnect", () => process.exit(1));
