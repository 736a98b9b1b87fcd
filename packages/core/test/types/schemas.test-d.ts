// Any Standard Schema gives the data its type: of what comes out of it, not of what goes in.
import { type } from "arktype";
import { type Decoder, definePipeline, fromIterable, json, schema, text } from "westend";
import * as v from "valibot";
import { z } from "zod";
import { expectType } from "./assert-types.ts";

const bytes = fromIterable([new Uint8Array()]);

definePipeline({
  name: "zod",
  producer: bytes,
  decoder: json(z.object({ at: z.string().transform((value) => new Date(value)) })),
  processor: {
    handle(message) {
      expectType<{ at: Date }>()(message.data, true);
    },
  },
});

definePipeline({
  name: "valibot",
  producer: bytes,
  decoder: json(v.object({ id: v.string(), count: v.optional(v.number(), 0) })),
  processor: { handle: (message) => message.to("sink", message.data.count) },
  batchers: {
    sink: {
      handle(messages) {
        for (const { data } of messages) expectType<number>()(data, true);
      },
    },
  },
});

definePipeline({
  name: "arktype",
  producer: bytes,
  decoder: json(type({ id: "string", "tags?": "string[]" })),
  processor: {
    handle(message) {
      expectType<string>()(message.data.id, true);
      expectType<string[] | undefined>()(message.data.tags, true);
    },
  },
});

// Values that need no parsing: the schema says what it takes, too.
definePipeline({
  name: "rows",
  producer: fromIterable([{ id: 1, paid: "yes" }]),
  decoder: schema(
    z.object({ id: z.number(), paid: z.string().transform((paid) => paid === "yes") }),
  ),
  processor: {
    handle(message) {
      expectType<{ id: number; paid: boolean }>()(message.data, true);
    },
  },
});

definePipeline({
  name: "text",
  producer: bytes,
  decoder: text(),
  processor: {
    handle(message) {
      expectType<string>()(message.data, true);
    },
  },
});

expectType<Decoder<string | Uint8Array | null, unknown>>()(json(), true);
expectType<Decoder<string | Uint8Array | null, { id: string }>>()(
  json(z.object({ id: z.string() }), { maxDepth: 10 }),
  true,
);
