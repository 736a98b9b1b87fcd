// One source or several, bare or with options; and what their metadata makes possible.
import {
  type AckOptions,
  type AnySource,
  type Configurable,
  definePipeline,
  fromIterable,
  fromReadable,
  interval,
  memory,
  type Producer,
} from "westend";
import type {
  Incoming,
  IterableMetadata,
  MemoryMetadata,
  MemoryProducer,
  MetadataOf,
  PayloadOf,
  PushOutcome,
  Tick,
} from "westend";
import { Readable } from "node:stream";
import { expectType } from "./assert-types.ts";

type OnFailure = { readonly onFailure: "requeue" | "reject" };
interface RabbitMetadata extends Configurable<OnFailure> {
  readonly routingKey: string;
}
declare const rabbit: Producer<Uint8Array, RabbitMetadata>;

// A source with its options.
const limited = definePipeline({
  name: "limited",
  producer: { producer: memory<string>(), concurrency: 2, rateLimit: { messages: 1, interval: 1 } },
  processor: {
    handle(message) {
      expectType<string>()(message.data, true);
      expectType<MemoryMetadata>()(message.metadata, true);
    },
  },
});

// Several sources give unions of payloads and of metadata.
const several = definePipeline({
  name: "several",
  producers: {
    queue: rabbit,
    clock: { producer: interval(1000), weight: 2 },
    lines: fromIterable(["a"]),
  },
  processor: {
    handle(message) {
      expectType<Uint8Array | Tick | string>()(message.data, true);
      expectType<RabbitMetadata | undefined | IterableMetadata>()(message.metadata, true);
      return message.to("sink", message.metadata);
    },
  },
  batchers: {
    sink: {
      handle(messages) {
        for (const { data } of messages) {
          expectType<RabbitMetadata | undefined | IterableMetadata>()(data, true);
        }
      },
    },
  },
});

// Several sources of the same kind give no union.
definePipeline({
  name: "alike",
  producers: { eu: rabbit, us: { producer: rabbit, concurrency: 2 } },
  processor: {
    handle(message) {
      expectType<Uint8Array>()(message.data, true);
      expectType<RabbitMetadata>()(message.metadata, true);
      message.configureAck({ onFailure: "requeue" });
    },
  },
  onFailed(messages) {
    for (const message of messages) message.configureAck({ onFailure: "reject" });
  },
});

declare const payload: PayloadOf<{ producer: typeof rabbit; weight: 2 }>;
expectType<Uint8Array>()(payload, true);
declare const metadata: MetadataOf<typeof rabbit>;
expectType<RabbitMetadata>()(metadata, true);
expectType<Producer<string, IterableMetadata>>()(fromReadable<string>(Readable.from(["a"])), true);
expectType<Producer<Uint8Array, IterableMetadata>>()(fromReadable(Readable.from([])), true);
expectType<Producer<number, IterableMetadata>>()(
  fromIterable(
    (async function* () {
      yield 1 as number;
    })(),
  ),
  true,
);

// Sources of which nothing is known are sources.
declare const anySource: AnySource;
definePipeline({ name: "any", producer: anySource, processor: { handle() {} } });
definePipeline({ name: "any", producers: { any: anySource }, processor: { handle() {} } });
declare const untyped: any;
definePipeline({ name: "any", producers: { any: untyped }, processor: { handle() {} } });

// Text is an iterable, of characters.
// @ts-expect-error: a single one goes into an array
fromIterable("a");
// @ts-expect-error: a single one goes into an array
memory("a");
expectType<MemoryProducer<string>>()(memory(["a" as string]), true);
expectType<MemoryProducer<string>>()(memory(new Set<string>()), true);
expectType<MemoryProducer<string>>()(memory<string>(), true);
declare const lines: Iterable<string> | AsyncIterable<string>;
expectType<Producer<string, IterableMetadata>>()(fromIterable(lines), true);

// What can be configured, the metadata says; if it says nothing, nothing can.
declare const onFailure: AckOptions<RabbitMetadata>;
expectType<OnFailure>()(onFailure, true);
declare const either: AckOptions<RabbitMetadata | undefined>;
expectType<OnFailure>()(either, true);
declare const nothing: [
  AckOptions<MemoryMetadata>,
  AckOptions<undefined>,
  AckOptions<unknown>,
  AckOptions<{}>,
  AckOptions<object>,
  AckOptions<Record<string, string>>,
];
expectType<[never, never, never, never, never, never]>()(nothing, true);

// What is pushed is what the source would send.
const running = await limited.start();
expectType<Promise<readonly PushOutcome[]>>()(running.push(["a"], { key: 1 }), true);
void running.push(["a"], { metadata: { index: 1 } });
// @ts-expect-error: the source sends strings
void running.push([1]);
// @ts-expect-error: its metadata has an index
void running.push(["a"], { metadata: { offset: 1 } });

// Limits are changed by the names of the batchers there are.
const runningSeveral = await several.start();
runningSeveral.update({ batchers: { sink: { size: 10 } }, rateLimit: null });
// @ts-expect-error: there is no batcher of this name
runningSeveral.update({ batchers: { sing: { size: 10 } } });
// @ts-expect-error: it has no batchers at all
running.update({ batchers: { sink: { size: 10 } } });

// A connector of one's own, without a type argument.
export const clockwork = {
  name: "clockwork",
  open: () => ({
    pull: (): Incoming<Date, { zone: string }>[] => [],
    acknowledge() {},
  }),
} satisfies Producer<Date, { zone: string }>;
definePipeline({
  name: "own",
  producer: clockwork,
  processor: {
    handle(message) {
      expectType<Date>()(message.data, true);
      expectType<{ zone: string }>()(message.metadata, true);
    },
  },
});
