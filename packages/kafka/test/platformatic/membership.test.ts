import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import type { KafkaDriverOptions, TopicPartition } from "../../src/client.ts";
import type { Consumer } from "../../src/platformatic/library.ts";
import { Membership } from "../../src/platformatic/membership.ts";

type JoinOptions = { protocolsMetadata(): Promise<Buffer> };

/** A client whose group gives it what the test says. */
class FakeConsumer extends EventEmitter {
  memberId: string | null = "m";
  generationId = 1;
  assignments: { topic: string; partitions: number[] }[] = [];
  readonly topics = { track: () => undefined };
  readonly connections = [];
  options: JoinOptions | undefined;

  async joinGroup(options: JoinOptions): Promise<void> {
    this.options = options;
    await this.joinAgain(0, 1);
  }

  async joinAgain(...partitions: number[]): Promise<void> {
    await this.options?.protocolsMetadata();
    this.assignments = [{ topic: "events", partitions }];
    this.emit("consumer:group:join");
  }
}

async function join(groupInstanceId?: string) {
  const consumer = new FakeConsumer();
  const told: (readonly [event: string, partitions: number[]])[] = [];
  const numbers = (all: readonly TopicPartition[]): number[] =>
    all.map(({ partition }) => partition);
  const membership = new Membership(
    consumer as unknown as Consumer,
    { topics: ["events"], groupInstanceId } as unknown as KafkaDriverOptions,
    {
      joining: () => void told.push(["joining", []]),
      assigned: (all) => void told.push(["assigned", numbers(all)]),
      revoked: async (all, lost) => void told.push([lost ? "lost" : "revoked", numbers(all)]),
      troubled: (error) => expect.unreachable(error.message),
      failed: (error) => expect.unreachable(error.message),
    },
  );
  await membership.join();
  return { consumer, membership, told };
}

describe("a member of a group", () => {
  it("tells at each join of all that is its own, for who may have let go of some", async () => {
    const { consumer, membership, told } = await join();
    consumer.emit("consumer:group:rebalance");
    await consumer.joinAgain(0, 1);
    membership.end();
    expect(told).toEqual([
      ["joining", []],
      ["assigned", [0, 1]],
      ["joining", []],
      ["assigned", [0, 1]],
    ]);
  });

  it("gives back what is taken from it before it joins, and has lost what was taken without a word", async () => {
    const { consumer, membership, told } = await join();
    consumer.emit("consumer:group:rebalance");
    consumer.assignments = [{ topic: "events", partitions: [1] }];
    await consumer.joinAgain(1);
    consumer.assignments = [];
    await consumer.joinAgain();
    membership.end();
    expect(told.filter(([event]) => event !== "joining")).toEqual([
      ["assigned", [0, 1]],
      ["revoked", [0]],
      ["assigned", [1]],
      ["lost", [1]],
      ["assigned", []],
    ]);
  });

  it("does not take its name back from another process that has come with it", async () => {
    const { consumer, membership, told } = await join("one");
    // What the client does when it is told so: it keeps what it had.
    consumer.memberId = null;
    await expect(consumer.joinAgain(0, 1)).rejects.toMatchObject({ code: "KAFKA_INSTANCE_FENCED" });
    membership.end();
    expect(told.slice(2)).toEqual([
      ["joining", []],
      ["lost", [0, 1]],
    ]);
  });
});
