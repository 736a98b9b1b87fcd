import { definePipeline, fromIterable, json, type Message } from "westend";

import type { Job, Rival } from "../src/rival.ts";

/** Westend as its guide shows it, with its defaults: an acknowledging source, bounds, demand, batches with a timeout. */
export const westend: Rival = {
  name: "westend",
  package: "westend",
  async run(job) {
    const running = await (job.batch === undefined ? plain(job) : batched(job)).start();
    const { received, succeeded } = await running.done;
    if (received !== job.items.length || succeeded !== received) {
      throw new Error(`westend reports ${succeeded} of ${received} of ${job.items.length}`);
    }
  },
};

function plain(job: Job) {
  const { concurrency, work } = job;
  const wait = job.wait;
  const handle =
    job.style === "sync"
      ? (message: Message<unknown>): void => void work(message.data)
      : wait === undefined
        ? async (message: Message<unknown>): Promise<void> => void work(message.data)
        : async (message: Message<unknown>): Promise<void> => {
            await wait(message.data);
            work(message.data);
          };
  return definePipeline({
    name: "benchmark",
    producer: fromIterable(job.items),
    processor: { concurrency, handle },
  });
}

function batched(job: Job) {
  const { concurrency, work, batch } = job;
  const { size, write } = batch ?? { size: 1, write: () => {} };
  const handle =
    job.style === "sync"
      ? (message: Message<unknown>) => message.to("sink", work(message.data))
      : async (message: Message<unknown>) => message.to("sink", work(message.data));
  const decoded =
    job.style === "sync"
      ? (message: Message<unknown>) => message.to("sink")
      : async (message: Message<unknown>) => message.to("sink");
  const writeMessages = (messages: readonly Message<unknown>[]): void =>
    write(messages.map((message) => message.data));
  const writeAsync = async (messages: readonly Message<unknown>[]): Promise<void> =>
    writeMessages(messages);
  const sink = { size, handle: job.style === "sync" ? writeMessages : writeAsync };
  return job.json === true
    ? definePipeline({
        name: "benchmark",
        producer: fromIterable(job.items as readonly string[]),
        decoder: json(),
        processor: { concurrency, handle: decoded },
        batchers: { sink },
      })
    : definePipeline({
        name: "benchmark",
        producer: fromIterable(job.items),
        processor: { concurrency, handle },
        batchers: { sink },
      });
}
