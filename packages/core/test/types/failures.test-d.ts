// Policies are data and leave inference alone; what ran out of them keeps its types.
import {
  constant,
  type DeadLetter,
  type DeadLetterSink,
  definePipeline,
  exponential,
  type FailedMessage,
  fromIterable,
  type IterableMetadata,
  json,
  memory,
  type MemoryMetadata,
  retry,
} from "westend";
import { z } from "zod";
import { expectType } from "./assert-types.ts";

const Event = z.object({ user: z.string() });

definePipeline({
  name: "retried",
  producer: fromIterable(["{}"]),
  decoder: json(Event),
  processor: {
    retry: retry({ attempts: 5, backoff: exponential({ initial: 100, max: 30_000 }) }),
    timeout: 30_000,
    async handle(message) {
      expectType<{ user: string }>()(message.data, true);
      return message.to("events", { ...message.data, seenAt: 1 as number });
    },
  },
  batchers: {
    events: {
      size: 10,
      retry: retry({ attempts: Infinity, backoff: constant(10), when: () => "hold" }),
      bisect: true,
      handle(messages) {
        for (const { data } of messages) {
          expectType<string>()(data.user, true);
          expectType<number>()(data.seenAt, true);
        }
      },
    },
  },
  onFailed(messages) {
    expectType<readonly FailedMessage<{ user: string }, IterableMetadata, string>[]>()(
      messages,
      true,
    );
    for (const message of messages) {
      expectType<{ user: string } | undefined>()(message.data, true);
      expectType<string>()(message.payload, true);
      expectType<unknown>()(message.reason, true);
      expectType<string | undefined>()(message.batcher, true);
    }
  },
});

// A sink written in place is given the payloads of the source, not what the decoder made of them.
definePipeline({
  name: "letters",
  producer: memory<string>(),
  decoder: json(Event),
  processor: {
    handle(message) {
      expectType<{ user: string }>()(message.data, true);
    },
  },
  deadLetter: {
    name: "letters",
    write(letters, signal) {
      expectType<readonly DeadLetter<string, MemoryMetadata>[]>()(letters, true);
      expectType<AbortSignal>()(signal, true);
    },
  },
});

// A sink made elsewhere may take more than the source sends.
declare const anything: DeadLetterSink<unknown, unknown>;
declare const strings: DeadLetterSink<string | Uint8Array, unknown>;
declare const numbers: DeadLetterSink<number, unknown>;
for (const deadLetter of [anything, strings, undefined]) {
  definePipeline({
    name: "made",
    producer: memory<string>(),
    processor: {
      handle(message) {
        expectType<string>()(message.data, true);
      },
    },
    deadLetter,
  });
}
definePipeline({
  name: "misfit",
  producer: memory<string>(),
  processor: { handle() {} },
  // @ts-expect-error: it takes numbers, the source sends strings
  deadLetter: numbers,
});
