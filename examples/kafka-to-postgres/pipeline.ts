import { kafka, kafkaDeadLetter } from "@westend/kafka";
import { batchInsert, retryable } from "@westend/postgres";
import { Pool } from "pg";
import { definePipeline, exponential, json, retry } from "westend";
import * as z from "zod";

const brokers = process.env["KAFKA_BROKERS"]?.split(",") ?? ["127.0.0.1:9092"];
const pool = new Pool({ connectionString: process.env["DATABASE_URL"] });

const Flight = z.object({
  id: z.string(),
  delay: z.int(),
  distance: z.int().positive(),
  time: z.number().min(0).max(24),
});

const flights = batchInsert(pool, {
  table: "flights",
  columns: { id: "text", departs: "integer", delay: "integer", distance: "integer" },
  key: ["id"],
  onConflict: "ignore",
});

export const pipeline = definePipeline({
  name: "flights",
  // `finite` ends when the topic has been read; a service goes without it.
  producer: kafka({ brokers, groupId: "flights", topics: "flights", finite: true }),
  decoder: json(Flight),
  processor: {
    concurrency: 10,
    handle(message) {
      const { time, ...flight } = message.data;
      return message.to("flights", { ...flight, departs: Math.round(time * 60) });
    },
  },
  batchers: {
    flights: {
      size: 100,
      timeout: 500,
      concurrency: 4,
      retry: retry({
        attempts: 20,
        backoff: exponential({ initial: 100, max: 30_000 }),
        when: retryable,
      }),
      handle: flights.handle,
    },
  },
  deadLetter: kafkaDeadLetter({ brokers, topic: "flights.dlq" }),
});
