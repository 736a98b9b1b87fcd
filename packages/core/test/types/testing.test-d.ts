// A pipeline under test is typed by its definition.
import type { DeadLetter, FailedMessage, IterableMetadata, Message, PushOutcome } from "westend";
import { definePipeline, memory } from "westend";
import { testPipeline, type VirtualClock } from "westend/testing";
import { expectType } from "./assert-types.ts";
import { orders } from "./pipeline.test-d.ts";

interface Order {
  id: string;
  customer: string;
  total: number;
}

await using pipeline = await testPipeline(orders);
const { batches, failed, deadLettered, outcomes } = await pipeline.push("{}", "{}");
expectType<{ id: string; cents: number }[][]>()(batches.ledger, true);
expectType<Order[][]>()(batches.review, true);
expectType<FailedMessage<Order, IterableMetadata, string>[]>()(failed, true);
expectType<DeadLetter<string, IterableMetadata>[]>()(deadLettered, true);
expectType<readonly PushOutcome[]>()(outcomes, true);
expectType<VirtualClock>()(pipeline.clock, true);
void pipeline.pushAll(["{}"], { key: 1, metadata: { index: 0 } });

// @ts-expect-error: the source sends strings
void pipeline.push({ id: "1", customer: "c", total: 12 });
// @ts-expect-error: there is no batcher of this name
void batches.leger;

// What stands in for a batcher's handler is typed as that was.
await testPipeline(orders, {
  batchers: {
    ledger(messages, batch, signal) {
      expectType<readonly Message<{ id: string; cents: number }, IterableMetadata>[]>()(
        messages,
        true,
      );
      expectType<string>()(batch.batcher, true);
      expectType<AbortSignal>()(signal, true);
    },
  },
  deadLetter(letters) {
    expectType<readonly DeadLetter<string, IterableMetadata>[]>()(letters, true);
  },
});
// @ts-expect-error: there is no batcher of this name
await testPipeline(orders, { batchers: { leger() {} } });

// A pipeline without batchers has no batches.
const plain = await testPipeline(
  definePipeline({ name: "plain", producer: memory<number>(), processor: { handle() {} } }),
);
expectType<{}>()((await plain.push(1)).batches, true);
