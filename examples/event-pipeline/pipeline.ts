import { setTimeout as sleep } from "node:timers/promises";

import { batchInsert, sqlite, sqliteDeadLetter } from "@westend/sqlite";
import { definePipeline, exponential, json, retry } from "westend";
import * as z from "zod";

const path = process.env["EVENTS_DB"] ?? "events.db";

const Flight = z.object({
  id: z.string(),
  date: z.string().regex(/^\d{4}\/\d\d\/\d\d \d\d:\d\d$/),
  delay: z.number(),
  distance: z.number().positive(),
  origin: z.string().length(3),
  destination: z.string().length(3),
});

const events = batchInsert(path, { table: "events", key: ["id"], onConflict: "ignore" });
const patience = retry({ attempts: 5, backoff: exponential({ initial: 100, max: 30_000 }) });

export const pipeline = definePipeline({
  name: "events",
  producer: sqlite({ path, finite: true, lease: 5000 }),
  decoder: json(Flight),
  processor: {
    concurrency: 10,
    retry: patience,
    async handle(message) {
      await sleep(2); // whatever your handler waits for: a lookup, an API
      const { date, ...flight } = message.data;
      const departedAt = Date.parse(`${date.replaceAll("/", "-").replace(" ", "T")}Z`);
      return message.to("events", { ...flight, departedAt });
    },
  },
  batchers: {
    events: {
      size: 100,
      timeout: 500,
      retry: patience,
      async handle(messages) {
        await events.insert(messages.map((message) => message.data));
      },
    },
  },
  deadLetter: sqliteDeadLetter({ path }),
});
