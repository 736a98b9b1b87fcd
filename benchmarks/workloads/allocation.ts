import { type Clock, definePipeline, fromIterable, systemClock } from "westend";

import { effort } from "../src/harness.ts";
import { type Allocation, allocated } from "../src/heap.ts";
import { median } from "../src/statistics.ts";
import { Tally } from "../src/tally.ts";
import type { Row, Workload } from "../src/workload.ts";
import { numbered } from "./throughput.ts";

/** The machine's clock, counting timers. */
class CountingClock implements Clock {
  timers = 0;
  now = systemClock.now;
  date = systemClock.date;
  clearTimer = systemClock.clearTimer;
  defer = systemClock.defer;

  setTimer(callback: () => void, milliseconds: number): unknown {
    this.timers++;
    return systemClock.setTimer(callback, milliseconds);
  }
}

type Style = "sync" | "async";

async function run(messages: number, style: Style, clock: Clock): Promise<void> {
  const tally = new Tally(messages);
  const pipeline = definePipeline({
    name: "benchmark",
    producer: fromIterable(numbered(messages)),
    processor: {
      handle:
        style === "sync"
          ? (message): void => tally.see(message.data)
          : async (message): Promise<void> => tally.see(message.data),
    },
  });
  const running = await pipeline.start({ clock });
  await running.done;
  tally.check("westend");
}

async function measure(style: Style, messages: number, runs: number) {
  const clock = new CountingClock();
  for (let times = 0; times < 5; times++) await run(messages, style, clock);
  clock.timers = 0;
  const profiles: Allocation[] = [];
  for (let times = 0; times < runs; times++) {
    profiles.push(await allocated(() => run(messages, style, clock)));
  }
  const bytes = median(profiles.map((profile) => profile.bytes)) / messages;
  return { bytes, timers: clock.timers / runs / messages, profile: profiles[0] };
}

export const allocation: Workload = {
  name: "allocation",
  async run(settings) {
    const messages = settings.quick ? 100_000 : 500_000;
    const { rounds } = effort(settings);
    const sync = await measure("sync", messages, rounds);
    const async = await measure("async", messages, rounds);
    const row = (workload: string, value: number, unit: "bytes" | "", bar?: Row["bar"]): Row => ({
      workload,
      westend: { value, unit },
      bar,
    });
    return {
      rows: [
        row("allocation per message, sync handler", sync.bytes, "bytes", {
          is: "at most",
          must: 300,
          aim: 150,
        }),
        row("allocation per message, async handler", async.bytes, "bytes"),
        // A few for all of a run are not one for each message.
        row("timers per message, sync handler", Math.round(sync.timers * 1000) / 1000, "", {
          is: "at most",
          must: 0,
        }),
      ],
      raw: { messages, sync, async },
    };
  },
};
