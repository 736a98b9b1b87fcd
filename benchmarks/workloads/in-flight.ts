import { definePipeline, type Producer } from "westend";

import { collectGarbage, effort } from "../src/harness.ts";
import { reachable } from "../src/heap.ts";
import { spread } from "../src/statistics.ts";
import type { Workload } from "../src/workload.ts";

const slots = 10_000;

/** So many messages, made when they are pulled, and then nothing more. */
function source(payload: (number: number) => unknown): Producer<unknown> {
  return {
    name: "full",
    open() {
      let next = 0;
      return {
        idle: Infinity,
        pull({ messages }) {
          if (next === slots) return [];
          const pulled = [];
          for (let room = messages; room > 0 && next < slots; room--) {
            pulled.push({ payload: payload(next++), metadata: undefined });
          }
          return pulled;
        },
        acknowledge() {},
      };
    },
  };
}

interface Held {
  readonly heap: number;
  readonly rss: number;
}

/** What an otherwise idle process needs more with all messages in a handler that waits. */
async function westendHolds(payload: (number: number) => unknown): Promise<Held> {
  const waiting: (() => void)[] = [];
  const pipeline = definePipeline({
    name: "benchmark",
    producer: source(payload),
    maxInFlight: slots,
    processor: {
      concurrency: slots,
      async handle() {
        await new Promise<void>((resolve) => waiting.push(resolve));
      },
    },
  });
  const held = await grown(async () => {
    const running = await pipeline.start();
    while (waiting.length < slots) await new Promise((resolve) => setImmediate(resolve));
    return running;
  });
  for (const go of waiting) go();
  const { succeeded } = await held.kept.stop();
  if (succeeded !== slots) throw new Error(`${succeeded} of ${slots} succeeded`);
  return { heap: held.heap, rss: held.rss };
}

/** The same without Westend: a promise of an async function that waits, and its payload. */
async function handlersHold(payload: (number: number) => unknown): Promise<Held> {
  const waiting: (() => void)[] = [];
  const handle = async (item: unknown): Promise<unknown> => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    return item;
  };
  const items = (): unknown[] => Array.from({ length: slots }, (_, number) => payload(number));
  const held = await grown(async () => {
    const payloads = items();
    return { payloads, handlers: payloads.map(handle) };
  });
  for (const go of waiting) go();
  await Promise.all(held.kept.handlers);
  return { heap: held.heap, rss: held.rss };
}

async function grown<Kept>(fill: () => Promise<Kept>): Promise<Held & { readonly kept: Kept }> {
  collectGarbage();
  const before = await reachable();
  const rssBefore = process.memoryUsage.rss();
  const kept = await fill();
  const rss = process.memoryUsage.rss() - rssBefore;
  return { heap: (await reachable()) - before, rss, kept };
}

export const inFlight: Workload = {
  name: "in-flight",
  async run(settings) {
    const kilobyte = (number: number): Uint8Array => new Uint8Array(1024).fill(number % 256);
    const text = (number: number): string =>
      Buffer.alloc(1024, 97 + (number % 26)).toString("latin1");
    // RSS never shrinks much: the first fill is the one that says what a process needs.
    const first = await westendHolds(text);
    const empty: Held[] = [];
    const bare: Held[] = [];
    const strings: Held[] = [];
    const bytes: Held[] = [];
    for (let round = 0; round < effort(settings).rounds; round++) {
      empty.push(await westendHolds((number) => number));
      bare.push(await handlersHold((number) => number));
      strings.push(await westendHolds(text));
      bytes.push(await westendHolds(kilobyte));
    }
    const heap = (all: readonly Held[]): number => spread(all.map((one) => one.heap)).median;
    const slot = "heap per message in flight, payload aside";
    const full = "memory with 10,000 in flight of 1 KB";
    return {
      rows: [
        {
          workload: slot,
          westend: { value: heap(empty) / slots, unit: "bytes" },
          other: {
            name: "a waiting async function alone",
            figure: { value: heap(bare) / slots, unit: "bytes" },
          },
          bar: { is: "at most", must: 2048, aim: 1300 },
        },
        {
          workload: `${full}, strings: heap`,
          westend: { value: heap(strings), unit: "bytes" },
          bar: { is: "at most", must: 40e6, aim: 25e6 },
        },
        {
          workload: `${full}, Uint8Array: heap and buffers`,
          westend: { value: heap(bytes), unit: "bytes" },
          bar: { is: "at most", must: 40e6, aim: 25e6 },
        },
        {
          workload: `${full}, strings: RSS of a new process`,
          westend: { value: first.rss, unit: "bytes" },
          bar: { is: "at most", must: 40e6, aim: 25e6 },
        },
      ],
      raw: { first, empty, bare, strings, bytes },
    };
  },
};
