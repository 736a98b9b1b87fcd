import { describe, it } from "vitest";
import { describeProducer, type VirtualClock } from "westend/testing";
import { sqlite, sqliteQueue, type SqliteQueue } from "@westend/sqlite";
import { file, watched } from "./support/fixtures.ts";

const LEASE = 60_000;

/** A queue whose next look for messages can be made to fail. */
function breakable(path: string, clock: VirtualClock): { queue: SqliteQueue; break(): void } {
  let broken = false;
  const client = watched((sql) => {
    if (!broken || !sql.includes("FROM westend_message")) return;
    broken = false;
    throw new Error("the disk is gone");
  }, path);
  return {
    queue: sqliteQueue({ client, clock, linger: 0 }),
    break: () => void (broken = true),
  };
}

describeProducer({
  name: "sqlite",
  describe,
  it,
  create({ clock: time }) {
    const clock = time as VirtualClock;
    const path = file();
    const { queue, break: fail } = breakable(path, clock);
    const options = { queue, lease: LEASE, retryDelay: LEASE, finite: false };
    return {
      producer: sqlite(options),
      send: async (values, { key } = {}) => {
        await queue.enqueueAll(values.map((payload) => ({ payload, key })));
      },
      async counts() {
        const { ready, delayed, leased } = await queue.counts();
        return { waiting: ready + delayed, taken: leased };
      },
      finish: () => void (options.finite = true),
      break: fail,
      expire: () => clock.advance(LEASE),
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
    lease: true,
    failed: "again",
    // What is refused here has gone to somebody else: it is refused at another try too (see fencing.test.ts).
    refusal: false,
    recovery: true,
    reopen: true,
  },
});
