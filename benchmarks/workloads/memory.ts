import { type Clock, definePipeline, type Producer, systemClock } from "westend";
import { virtualClock } from "westend/testing";

import { reachable } from "../src/heap.ts";
import { plot } from "../src/plot.ts";
import { slope } from "../src/statistics.ts";
import type { Report, Settings, Workload } from "../src/workload.ts";

const payloadBytes = 1024;
const batchSize = 100;

interface Sample {
  /** Seconds since the start. */
  readonly at: number;
  readonly heap: number;
  readonly rss: number;
}

/** 1 KB each, numbered, without an end. */
class Endless implements Producer<string> {
  readonly name = "endless";
  sent = 0;

  open() {
    return {
      pull: ({ messages }: { readonly messages: number }) =>
        Array.from({ length: messages }, () => ({
          payload: String(this.sent++).padEnd(payloadBytes, "."),
          metadata: undefined,
        })),
      acknowledge: () => {},
    };
  }
}

/** Sees that nothing is left out, repeated or swapped. */
class Sink {
  next = 0;

  take(payload: string): void {
    const number = Number.parseInt(payload, 10);
    if (number !== this.next) throw new Error(`expected message ${this.next}, got ${number}`);
    this.next++;
  }
}

/** A sink a hundred times slower than the source. */
function slowSink(source: Endless, sink: Sink, clock: Clock, milliseconds: number) {
  return definePipeline({
    name: "benchmark",
    producer: source,
    processor: { handle: (message) => message.to("sink") },
    batchers: {
      sink: {
        size: batchSize,
        async handle(messages) {
          await new Promise<void>((resolve) => clock.setTimer(resolve, milliseconds));
          for (const { data } of messages) sink.take(data);
        },
      },
    },
  });
}

interface Course {
  readonly title: string;
  readonly clock: Clock;
  /** Milliseconds for a batch. */
  readonly pause: number;
  /** Seconds of the clock. */
  readonly seconds: number;
  readonly every: number;
  pass(milliseconds: number): Promise<unknown>;
}

/**
 * Runs the course and gives what was in memory on the way.
 * @throws if a message was lost, repeated or swapped
 */
export async function sampled(course: Course): Promise<{ samples: Sample[]; messages: number }> {
  const { clock, pause, seconds, every, pass } = course;
  const source = new Endless();
  const sink = new Sink();
  const running = await slowSink(source, sink, clock, pause).start({ clock });
  const samples: Sample[] = [];
  for (let at = every; at <= seconds; at += every) {
    await pass(every * 1000);
    samples.push({ at, heap: await reachable(), rss: process.memoryUsage.rss() });
  }
  const stopping = running.stop();
  // What is in flight waits for the clock.
  while (running.status !== "stopped") await pass(pause);
  const { received, succeeded, failed } = await stopping;
  if (failed > 0) throw new Error(`${failed} messages came out of order`);
  if (received !== source.sent || succeeded !== received || sink.next !== received) {
    throw new Error(`${source.sent} sent, ${received} received, ${sink.next} at the sink`);
  }
  return { samples, messages: received };
}

export function virtualCourse(seconds: number): Course {
  const clock = virtualClock();
  return {
    title: `${seconds / 60} min of virtual time`,
    clock,
    pause: 100,
    seconds,
    every: seconds / 60,
    pass: (milliseconds) => clock.advance(milliseconds),
  };
}

function realCourse({ quick }: Settings): Course {
  const seconds = quick ? 10 : 120;
  return {
    title: `${seconds} s of real time`,
    clock: systemClock,
    pause: 5,
    seconds,
    every: seconds / 120,
    pass: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  };
}

/** A slow sink under a source without end: memory stays where it is, and nothing is dropped. */
export const memory: Workload = {
  name: "memory",
  async run(settings): Promise<Report> {
    const course = settings.real ? realCourse(settings) : virtualCourse(settings.quick ? 60 : 600);
    const { samples, messages } = await sampled(course);
    // The first quarter is warm-up: code is compiled, pools are filled.
    const steady = samples.slice(samples.length / 4);
    const line = (of: "heap" | "rss"): number =>
      slope(steady.map((sample) => ({ x: sample.at, y: sample[of] })));
    const workload = `slow sink, endless source, ${course.title}`;
    const growth = (of: "heap" | "rss") =>
      ({ value: line(of) * course.seconds, unit: "bytes" }) as const;
    return {
      rows: [
        // One small object left behind by each message would be ten times as much.
        {
          workload: `${workload}: growth of the heap`,
          westend: growth("heap"),
          bar: { is: "at most", must: 1e6 },
        },
        { workload: `${workload}: growth of RSS`, westend: growth("rss") },
      ],
      raw: {
        messages,
        bytesPerSecond: { heap: line("heap"), rss: line("rss") },
        samples,
      },
      plots: {
        [settings.real ? "memory-real" : "memory"]: memoryPlot(course, samples, settings.real),
      },
    };
  },
};

/** RSS says something in real time only: in virtual time an hour's garbage comes in a second. */
function memoryPlot({ title }: Course, samples: readonly Sample[], real: boolean): string {
  const line = (name: string, of: "heap" | "rss") => ({
    name,
    points: samples.map((sample) => ({ x: sample.at, y: sample[of] / 1e6 })),
  });
  const heap = line("heap after GC", "heap");
  return plot({
    title: `Slow sink, endless source: memory over ${title}`,
    x: { title: "seconds" },
    y: { title: "MB" },
    lines: real ? [heap, line("RSS", "rss")] : [heap],
  });
}
