import { kafka, kafkaDeadLetter } from "@westend/kafka";
import { batchInsert, retryable } from "@westend/postgres";
import { Pool } from "pg";
import { definePipeline, json, retry } from "westend";

import type { Flight } from "../flights.ts";
import { brokers, database, groupId, sessionTimeout, topic } from "./settings.ts";

/** The pipeline of `examples/kafka-to-postgres`, with the guarantees it has by default. */
const flights = batchInsert(new Pool({ connectionString: database }), {
  table: "flights",
  columns: {
    id: "text",
    delay: "integer",
    distance: "integer",
    time: "double precision",
    produced_at: "timestamptz",
  },
  onConflict: "ignore",
});

const pipeline = definePipeline({
  name: "flights",
  producer: kafka({ brokers, groupId, topics: topic, sessionTimeout }),
  decoder: json(),
  processor: {
    concurrency: 10,
    handle(message) {
      // What it is compared with does not check what it reads either.
      const flight = message.data as Flight;
      const produced_at = new Date(message.metadata.timestamp);
      return message.to("flights", { ...flight, produced_at });
    },
  },
  batchers: {
    flights: {
      size: 100,
      timeout: 500,
      concurrency: 8,
      retry: retry({ attempts: 20, when: retryable }),
      handle: flights.handle,
    },
  },
  deadLetter: kafkaDeadLetter({ brokers, topic: `${topic}.dlq` }),
});

const running = await pipeline.start();
await running.done;
