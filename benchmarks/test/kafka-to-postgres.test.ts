import { type KafkaServer, type PostgresServer, startKafka, startPostgres } from "test-servers";
import { describeWith } from "test-servers/vitest";
import { afterAll, beforeAll, expect, it } from "vitest";

import { contestants } from "../kafka-to-postgres/contestants.ts";
import { flightEvents } from "../kafka-to-postgres/flights.ts";
import { SERVER_SETTINGS, Table } from "../kafka-to-postgres/table.ts";
import { throughput } from "../kafka-to-postgres/throughput.ts";
import { createTopic } from "../kafka-to-postgres/topic.ts";

const EVENTS = 2000;

// Consumers are processes of their own: they are to see the sources, too.
process.env["NODE_OPTIONS"] = "--conditions=@westend/source";

describeWith(["kafka", "postgres"], "the contestants of the case study", () => {
  let kafka: KafkaServer;
  let postgres: PostgresServer;
  let table: Table;

  beforeAll(async () => {
    kafka = await startKafka();
    postgres = await startPostgres({ settings: SERVER_SETTINGS });
    table = await Table.create(postgres.url);
    await createTopic(kafka, "flights", await flightEvents(EVENTS, "flight"));
  });

  afterAll(async () => {
    await table?.close();
    await postgres?.stop();
    await kafka?.stop();
  });

  it.for(contestants)(
    "$name writes every event, and the server counts its statements",
    async (contestant) => {
      const study = { kafka, table, database: postgres.url };
      const options = { topic: "flights", events: EVENTS, limit: 60_000 };
      const { rows, inserts } = await throughput(study, contestant, options);
      expect(rows).toBe(EVENTS);
      expect(inserts).toBeGreaterThan(0);
      expect(inserts).toBeLessThanOrEqual(1000);
    },
  );
});
