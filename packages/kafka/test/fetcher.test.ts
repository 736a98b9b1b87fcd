import { systemClock } from "westend";
import { describe, expect, it } from "vitest";
import type { Fetched, KafkaDriver, RecordCursor, Wanted } from "../src/client.ts";
import { Fetcher } from "../src/fetcher.ts";
import { Partition } from "../src/partition.ts";

interface Poll {
  readonly partitions: readonly number[];
  readonly soon: boolean | undefined;
  answer(fetched: readonly Fetched[]): void;
}

/** A broker that answers when the test says so. */
function brokerWithPolls(): { driver: KafkaDriver; next(): Promise<Poll> } {
  const polls: Poll[] = [];
  const waiting: ((poll: Poll) => void)[] = [];
  const driver: Partial<KafkaDriver> = {
    leaders: async (partitions) => new Map([[1, partitions]]),
    poll: (_broker: number, wanted: readonly Wanted[], soon?: boolean) =>
      new Promise((answer) => {
        const poll = { partitions: wanted.map(({ partition }) => partition), soon, answer };
        const waiter = waiting.shift();
        if (waiter === undefined) polls.push(poll);
        else waiter(poll);
      }),
  };
  return {
    driver: driver as KafkaDriver,
    next: () =>
      new Promise((resolve) => {
        const poll = polls.shift();
        if (poll === undefined) waiting.push(resolve);
        else resolve(poll);
      }),
  };
}

const cursor = (bytes: number): RecordCursor => ({ bytes, end: 10, next: () => undefined });

const fetched = (partition: number, records: RecordCursor | undefined): Fetched => ({
  topic: "events",
  partition,
  problem: undefined,
  end: 10,
  records,
});

describe("fetching ahead", () => {
  it("does not let a partition at rest hold up the broker while others are being used up", async () => {
    const { driver, next } = brokerWithPolls();
    const partitions = [0, 1].map(
      (partition) => new Partition({ topic: "events", partition }, 0, "", "key", undefined),
    );
    const fetcher = new Fetcher({
      clock: systemClock,
      driver,
      maxBytesPerPartition: 1000,
      partitions: () => partitions,
      wants: () => true,
      arrived: () => undefined,
      outOfRange: () => undefined,
      troubled: (error) => expect.unreachable(error.message),
    });

    fetcher.kick();
    const first = await next();
    expect(first).toMatchObject({ partitions: [0, 1], soon: false });
    first.answer([fetched(0, cursor(900)), fetched(1, undefined)]);

    const second = await next();
    expect(second).toMatchObject({ partitions: [1], soon: true });
    partitions[0]?.peek();
    second.answer([fetched(1, undefined)]);

    const third = await next();
    expect(new Set(third.partitions)).toEqual(new Set([0, 1]));
    expect(third.soon).toBe(false);
    fetcher.end();
    third.answer([]);
  });
});
