import { eachLimit } from "async";

import type { Rival } from "../src/rival.ts";
import { handlerOf, writerOf } from "./handler.ts";

/** How many messages are pulled at once, and acknowledged at once where there are no batches. */
const GROUP = 256;

interface Message {
  readonly payload: unknown;
  acknowledged: boolean;
}

/** As a queue's client has it: gives messages in groups, and is told which have ended. */
class Source {
  readonly #items: readonly unknown[];
  #next = 0;
  acknowledged = 0;

  constructor(items: readonly unknown[]) {
    this.#items = items;
  }

  /** A group is pulled when the one before it has been started. */
  *messages(): Generator<Message> {
    while (this.#next < this.#items.length) {
      const items = this.#items.slice(this.#next, this.#next + GROUP);
      this.#next += items.length;
      yield* items.map((payload) => ({ payload, acknowledged: false }));
    }
  }

  acknowledge(messages: readonly Message[]): void {
    for (const message of messages) message.acknowledged = true;
    this.acknowledged += messages.length;
  }
}

/**
 * `async.eachLimit` and the least that a consumer of a queue needs beside it: messages are pulled as they are wanted, so that few are in
 * flight, and acknowledged in groups once they are handled and, with batches, written. Still no retry, order, drain, timeout or figures.
 */
export const asyncAcknowledging: Rival = {
  name: "async.eachLimit that acknowledges",
  package: "async",
  async run(job) {
    const source = new Source(job.items);
    const { size = GROUP } = job.batch ?? {};
    const handle = handlerOf({ ...job, style: "async" }) as (item: unknown) => Promise<unknown>;
    const write = writerOf(job);
    let messages: Message[] = [];
    let results: unknown[] = [];
    const flush = async (): Promise<void> => {
      const handled = messages;
      const written = results;
      messages = [];
      results = [];
      if (job.batch !== undefined) await write(written);
      source.acknowledge(handled);
    };
    const iteratee = (message: Message, end: () => void): void => {
      const succeeded = (result: unknown): void => {
        messages.push(message);
        if (job.batch !== undefined) results.push(result);
        if (messages.length >= size) flush().then(end, end);
        else end();
      };
      // What fails stays unacknowledged: its source sends it again.
      handle(message.payload).then(succeeded, end);
    };
    await eachLimit(source.messages(), job.concurrency, iteratee);
    await flush();
    if (source.acknowledged !== job.items.length) throw new Error("Not all is acknowledged.");
  },
};
