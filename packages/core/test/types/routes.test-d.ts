// What `to` makes of a message, and what a batcher makes of what is sent to it.
import { definePipeline, fromIterable, type Message, type Routed } from "westend";
import type { BatchData, BatcherName } from "westend";
import { expectType } from "./assert-types.ts";

declare const message: Message<{ id: string }, { topic: string }>;
declare const urgent: boolean;

expectType<Routed<"a", { id: string }>>()(message.to("a"), true);
expectType<Routed<"a", number>>()(message.to("a", 1 as number), true);
expectType<Routed<"a", { id: string }> | Routed<"b", { id: string }>>()(
  message.to(urgent ? "a" : "b"),
  true,
);
expectType<Routed<"a", Date>>()(
  message.to("a", new Date(), { key: 7n, flush: true, size: 10 }),
  true,
);

type Out = Routed<"a", 1> | readonly (Routed<"b", 2> | Routed<"a", 3>)[] | undefined;
declare const names: BatcherName<Out>;
declare const dataOfA: BatchData<Out, "a">;
declare const dataOfB: BatchData<Out, "b">;
expectType<"a" | "b">()(names, true);
expectType<1 | 3>()(dataOfA, true);
expectType<2>()(dataOfB, true);

const producer = fromIterable([{ id: "1", items: [{ sku: "x", count: 1 }] }]);

// A batcher that is fed with two shapes gets their union.
definePipeline({
  name: "union",
  producer,
  processor: {
    handle(message) {
      if (urgent) return message.to("sink", { kind: "text" as const, text: message.data.id });
      return message.to("sink", { kind: "count" as const, count: 1 });
    },
  },
  batchers: {
    sink: {
      handle(messages) {
        for (const { data } of messages) {
          expectType<"text" | "count">()(data.kind, true);
          if (data.kind === "text") expectType<string>()(data.text, true);
          else expectType<number>()(data.count, true);
        }
      },
    },
  },
});

// A name that is computed needs every batcher it may be.
definePipeline({
  name: "computed",
  producer,
  processor: { handle: (message) => message.to(urgent ? "fast" : "slow", message.data.id) },
  batchers: {
    fast: {
      handle(messages) {
        expectType<string>()(messages.map(({ data }) => data)[0] ?? "", true);
      },
    },
    slow: {
      handle(messages) {
        expectType<readonly string[]>()(
          messages.map(({ data }) => data) satisfies readonly string[] as readonly string[],
          true,
        );
      },
    },
  },
});

// Fan-out by an array, a tuple, or map; mixed with single routes and with nothing.
definePipeline({
  name: "fan-out",
  producer,
  processor: {
    async handle(message) {
      if (urgent) return;
      if (message.data.id === "") return message.to("audit", 1n);
      if (message.data.id === "all")
        return message.data.items.map((item) => message.to("items", item));
      return [message.to("audit", 2n), message.to("orders")];
    },
  },
  batchers: {
    items: {
      handle(messages) {
        for (const { data } of messages) expectType<{ sku: string; count: number }>()(data, true);
      },
    },
    audit: {
      handle(messages) {
        for (const { data } of messages) expectType<bigint>()(data, true);
      },
    },
    orders: {
      handle(messages) {
        for (const { data } of messages) expectType<string>()(data.id, true);
      },
    },
  },
});

// A tuple that the compiler knows to be one.
definePipeline({
  name: "tuple",
  producer,
  processor: {
    handle: (message) =>
      [message.to("left", 1 as number), message.to("right", "x" as string)] as const,
  },
  batchers: {
    left: {
      handle(messages) {
        for (const { data } of messages) expectType<number>()(data, true);
      },
    },
    right: {
      handle(messages) {
        for (const { data } of messages) expectType<string>()(data, true);
      },
    },
  },
});

// Routes that are collected one by one.
definePipeline({
  name: "collected",
  producer,
  processor: {
    handle(message) {
      const routes = [];
      for (const item of message.data.items) routes.push(message.to("items", item));
      routes.push(message.to("orders", message.data.id));
      return routes;
    },
  },
  batchers: {
    items: {
      handle(messages) {
        for (const { data } of messages) expectType<{ sku: string; count: number }>()(data, true);
      },
    },
    orders: {
      handle(messages) {
        for (const { data } of messages) expectType<string>()(data, true);
      },
    },
  },
});
