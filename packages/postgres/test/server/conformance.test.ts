import { describe, it } from "vitest";
import { systemClock } from "westend";
import { describeProducer } from "westend/testing";
import { describeWith } from "test-servers/vitest";
import { postgres, postgresQueue } from "@westend/postgres";
import { breakable, testDatabase } from "../support/database.ts";

const LEASE = 60_000;

describeWith("postgres", "postgres", () => {
  describeProducer({
    name: "postgres",
    describe,
    it,
    clock: systemClock,
    async create() {
      const { pool, schema, rows } = await testDatabase();
      const { target, break: fail } = breakable(pool, /as due$/);
      const queue = postgresQueue(target, { schema, listen: false });
      const options = { queue, lease: LEASE, retryDelay: LEASE, idle: 20, finite: false };
      await queue.open();
      return {
        producer: postgres(options),
        send: async (values, { key } = {}) => {
          await queue.enqueueAll(values.map((payload) => ({ payload, key })));
        },
        async counts() {
          const { ready, delayed, leased } = await queue.counts();
          return { waiting: ready + delayed, taken: leased };
        },
        finish: () => void (options.finite = true),
        break: fail,
        // The server's clock cannot be set forward, but what it is compared with can be set back.
        expire: async () => {
          await rows(`update message set due = due - interval '${LEASE} milliseconds'`);
        },
        close: () => queue.close(),
      };
    },
    features: {
      order: true,
      live: true,
      finite: true,
      redelivery: true,
      release: true,
      attempts: true,
      sizes: true,
      key: true,
      sessions: true,
      // It would have to be waited for: see queue.test.ts.
      lease: false,
      failed: "again",
      // What is refused here has gone to somebody else: it is refused at another try too.
      refusal: false,
      recovery: true,
      reopen: true,
    },
  });
});
