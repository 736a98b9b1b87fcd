import { definePipeline, fromIterable, json } from "westend";
import { z } from "zod";

const Order = z.object({ id: z.string(), total: z.number() });

/** The pipeline of the documentation: one batcher for the ledger, one for what a person has to look at. */
export const orders = definePipeline({
  name: "orders",
  producer: fromIterable<string>([]),
  decoder: json(Order),
  processor: {
    handle(message) {
      const { id, total } = message.data;
      if (total < 0) throw new Error(`order ${id} is negative`);
      if (total > 10_000) return message.to("review");
      return message.to("ledger", { id, cents: total * 100 });
    },
  },
  batchers: {
    ledger: { size: 2, timeout: 500, handle() {} },
    review: { size: 10, timeout: 60_000, async handle() {} },
  },
});

export const order = (id: string, total: number): string => JSON.stringify({ id, total });
