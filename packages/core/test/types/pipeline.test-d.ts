// What flows from the producer through the processor into the batchers; nothing here is annotated.
import {
  type Batch,
  type Decoder,
  definePipeline,
  fromIterable,
  json,
  type Message,
} from "westend";
import type { IterableMetadata } from "westend";
import { z } from "zod";
import { expectType } from "./assert-types.ts";

interface Order {
  id: string;
  customer: string;
  total: number;
}
const Order = z.object({ id: z.string(), customer: z.string(), total: z.number() });

// Two batchers, two types of data; some messages routed, some not.
export const orders = definePipeline({
  name: "orders",
  producer: fromIterable(["{}"]),
  decoder: json(Order),
  processor: {
    concurrency: 16,
    partitionBy(message) {
      expectType<Message<Order, IterableMetadata>>()(message, true);
      return message.data.customer;
    },
    prepare(messages, signal) {
      expectType<readonly Message<Order, IterableMetadata>[]>()(messages, true);
      expectType<AbortSignal>()(signal, true);
    },
    async handle(message, signal) {
      expectType<Order>()(message.data, true);
      expectType<IterableMetadata>()(message.metadata, true);
      expectType<string | number | bigint | undefined>()(message.key, true);
      expectType<AbortSignal>()(signal, true);
      const { id, total } = message.data;
      if (total === 0) return;
      if (total > 10_000) return message.to("review");
      return message.to("ledger", { id, cents: Math.round(total * 100) });
    },
  },
  batchers: {
    ledger: {
      size: 500,
      weight(message) {
        expectType<Message<{ id: string; cents: number }, IterableMetadata>>()(message, true);
        return message.data.cents;
      },
      splitBy: () => (message) => {
        expectType<Message<{ id: string; cents: number }, IterableMetadata>>()(message, true);
        return message.data.cents > 1;
      },
      partitionBy(message) {
        expectType<{ id: string; cents: number }>()(message.data, true);
        return message.data.id;
      },
      handle(messages, batch, signal) {
        expectType<readonly Message<{ id: string; cents: number }, IterableMetadata>[]>()(
          messages,
          true,
        );
        expectType<Batch>()(batch, true);
        expectType<AbortSignal>()(signal, true);
      },
    },
    review: {
      async handle(messages) {
        expectType<readonly Message<Order, IterableMetadata>[]>()(messages, true);
      },
    },
  },
});

// Without a decoder the data is the payload.
definePipeline({
  name: "numbers",
  producer: fromIterable([1, 2, 3]),
  processor: { handle: (message) => message.to("sums") },
  batchers: {
    sums: {
      handle(messages) {
        expectType<readonly Message<number, IterableMetadata>[]>()(messages, true);
      },
    },
  },
});

// Without batchers: void, undefined, sync and async handlers.
definePipeline({ name: "none", producer: fromIterable([1]), processor: { handle() {} } });
definePipeline({ name: "none", producer: fromIterable([1]), processor: { async handle() {} } });
definePipeline({
  name: "none",
  producer: fromIterable([1]),
  processor: { handle: () => undefined },
});
definePipeline({
  name: "none",
  producer: fromIterable([1]),
  processor: {
    handle(message) {
      if (message.data > 1) return;
      message.fail("too small");
    },
  },
});
definePipeline({
  name: "empty",
  producer: fromIterable([1]),
  processor: { handle() {} },
  batchers: {},
});

// A JSON payload without a schema is unknown.
definePipeline({
  name: "untyped",
  producer: fromIterable([new Uint8Array()]),
  decoder: json(),
  processor: {
    handle(message) {
      expectType<unknown>()(message.data, true);
    },
  },
});

// A decoder of one's own, written in place or elsewhere, sync or async.
const length: Decoder<string, number> = { name: "length", decode: (payload) => payload.length };
definePipeline({
  name: "lengths",
  producer: fromIterable(["a"]),
  decoder: length,
  processor: {
    handle(message) {
      expectType<number>()(message.data, true);
    },
  },
});
definePipeline({
  name: "lengths",
  producer: fromIterable(["a"]),
  decoder: { name: "length", decode: (payload) => Promise.resolve({ length: payload.length }) },
  processor: {
    handle(message) {
      expectType<{ length: number }>()(message.data, true);
    },
  },
});

// Extracted handlers keep their types.
async function handleOrder(message: Message<Order>, signal: AbortSignal) {
  signal.throwIfAborted();
  return message.to("ledger", { cents: message.data.total });
}
function writeLedger(messages: readonly Message<{ cents: number }>[]): void {
  void messages.length;
}
definePipeline({
  name: "extracted",
  producer: fromIterable(["{}"]),
  decoder: json(Order),
  processor: { handle: handleOrder },
  batchers: { ledger: { handle: writeLedger } },
});
