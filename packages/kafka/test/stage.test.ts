import type { Message } from "westend";
import { describe, expect, it } from "vitest";
import type { KafkaRecord } from "../src/client.ts";
import { KafkaMessage, type KafkaMetadata } from "../src/message.ts";
import { Outbox } from "../src/outbox.ts";
import { Partition } from "../src/partition.ts";
import { stage } from "../src/stage.ts";

const RECORD: KafkaRecord = {
  offset: 0,
  timestamp: 0,
  leaderEpoch: 0,
  key: null,
  value: Buffer.from("in"),
  headers: [],
  size: 2,
  defect: undefined,
};

function open({ transactions = true } = {}) {
  const outbox = transactions ? new Outbox(async () => 0) : undefined;
  const partition = new Partition({ topic: "in", partition: 0 }, 0, "", "none", outbox);
  const origin = new KafkaMessage(RECORD, undefined, partition);
  partition.tracker.take(origin);
  const failures: unknown[] = [];
  const { metadata } = origin;
  const message = { metadata, fail: (reason: unknown) => void failures.push(reason) };
  const { signal } = new AbortController();
  return {
    partition,
    origin,
    failures,
    send: () =>
      stage(
        [message as unknown as Message<string, KafkaMetadata>],
        () => ({ topic: "out", value: "out" }),
        signal,
      ),
    staged: () => outbox?.before(1).map(({ record }) => String(record.value)),
  };
}

describe("what is sent in a transaction", () => {
  it("waits for the commit of its message", async () => {
    const { send, staged, failures } = open();
    await send();
    expect([staged(), failures]).toEqual([["out"], []]);
  });

  it("is refused where the message was acknowledged before, which may be committed already", async () => {
    const { send, staged, failures, partition, origin } = open();
    partition.tracker.done(origin);
    await send();
    expect(staged()).toEqual([]);
    expect(failures).toMatchObject([
      { code: "KAFKA_TRANSACTION", message: expect.stringContaining("`ackNow`") },
    ]);
  });

  it("is refused where the partition belongs to somebody else by now", async () => {
    const { send, staged, failures, partition } = open();
    const sending = send();
    partition.close();
    await sending;
    expect(staged()).toEqual([]);
    expect(failures).toMatchObject([{ code: "KAFKA_TRANSACTION" }]);
  });

  it("is refused where the source has no `transactionalId`", async () => {
    const { send, failures } = open({ transactions: false });
    await send();
    expect(failures).toMatchObject([
      { code: "KAFKA_TRANSACTION", message: expect.stringContaining("`transactionalId`") },
    ]);
  });
});
