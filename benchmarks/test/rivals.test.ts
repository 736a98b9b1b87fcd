import { describe, expect, it } from "vitest";

import { libraries } from "../rivals/all.ts";
import { asyncAcknowledging } from "../rivals/async-acknowledging.ts";
import { loops } from "../rivals/loops.ts";
import { westend } from "../rivals/westend.ts";
import type { Job, Rival } from "../src/rival.ts";
import { Tally } from "../src/tally.ts";
import { jsonJob } from "../workloads/json-batch.ts";
import { batchJob, plainJob } from "../workloads/throughput.ts";
import { waitingJob } from "../workloads/wait.ts";

const jobs: Record<string, (messages: number, tally: Tally) => Job> = {
  "noop-async": plainJob("async"),
  "noop-sync": plainJob("sync"),
  "batch-async": batchJob("async"),
  "batch-sync": batchJob("sync"),
  "json-batch": jsonJob,
  wait: waitingJob,
};

describe.each([westend, loops, ...libraries, asyncAcknowledging])("$name", (rival) => {
  it.each(Object.keys(jobs))("delivers every message of %s exactly once", async (name) => {
    // Around the size of a batch, and around the concurrency.
    for (const messages of [0, 1, 9, 99, 100, 101, 1234]) {
      const tally = new Tally(messages);
      await rival.run((jobs[name] as (typeof jobs)[string])(messages, tally));
      expect(() => tally.check(rival.name)).not.toThrow();
    }
  });

  it("runs as many handlers at once as it may, and no more", async () => {
    expect(await mostAtOnce(rival, 7)).toBe(7);
  });
});

async function mostAtOnce(rival: Rival, concurrency: number): Promise<number> {
  let running = 0;
  let most = 0;
  await rival.run({
    items: Array.from({ length: 100 }, (_, index) => index),
    concurrency,
    style: "async",
    wait: async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
    },
    work: () => {},
  });
  return most;
}
