import { definePipeline, type Message, type Producer } from "westend";

import type { Workload } from "../src/workload.ts";

const maxInFlight = 50;

/** Counts what is out of it, and the most that ever was. */
class Watched implements Producer<number> {
  readonly name = "watched";
  readonly #count: number;
  out = 0;
  most = 0;

  constructor(count: number) {
    this.#count = count;
  }

  open() {
    let next = 0;
    return {
      pull: ({ messages }: { readonly messages: number }) => {
        if (next === this.#count) return null;
        const pulled = [];
        for (let room = messages; room > 0 && next < this.#count; room--) {
          pulled.push({ payload: next++, metadata: undefined });
        }
        this.out += pulled.length;
        this.most = Math.max(this.most, this.out);
        return pulled;
      },
      acknowledge: ({ succeeded }: { readonly succeeded: readonly unknown[] }) => {
        this.out -= succeeded.length;
      },
    };
  }
}

/** With sync and with async handlers, with and without a slow sink. */
async function beyond(messages: number): Promise<number[]> {
  const sources = Array.from({ length: 3 }, () => new Watched(messages));
  const common = { name: "benchmark", maxInFlight };
  const [plain, waiting, batched] = sources as [Watched, Watched, Watched];
  const pipelines = [
    definePipeline({ ...common, producer: plain, processor: { handle: () => {} } }),
    definePipeline({
      ...common,
      producer: waiting,
      processor: { handle: () => new Promise<void>((resolve) => setImmediate(resolve)) },
    }),
    definePipeline({
      ...common,
      producer: batched,
      processor: { handle: (message: Message<number>) => message.to("sink") },
      batchers: {
        sink: { size: 7, handle: () => new Promise<void>((resolve) => setImmediate(resolve)) },
      },
    }),
  ];
  for (const pipeline of pipelines) {
    const running = await pipeline.start();
    await running.done;
  }
  return sources.map(({ most }) => most - maxInFlight);
}

export const readAhead: Workload = {
  name: "read-ahead",
  async run({ quick }) {
    const values = await beyond(quick ? 5000 : 50_000);
    const workload = "read-ahead of the source beyond maxInFlight, messages";
    const westend = { value: Math.max(0, ...values), unit: "" } as const;
    return { rows: [{ workload, westend, bar: { is: "at most", must: 0 } }], raw: values };
  },
};
