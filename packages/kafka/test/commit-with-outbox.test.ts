import { describe, expect, it } from "vitest";
import type { GroupMember, Position, RecordBatch, TransactionResult } from "../src/client.ts";
import { KafkaError } from "../src/errors.ts";
import type { KafkaMessage } from "../src/message.ts";
import { Partition } from "../src/partition.ts";
import { encodeRecord } from "../src/record.ts";
import { Transactions } from "../src/transactions.ts";
import { fakeDriver } from "./support/fake-driver.ts";

const MEMBER: GroupMember = { groupId: "g", memberId: "m", generationId: 7, coordinatorId: 1 };

function open() {
  const { driver, committed, now: broker } = fakeDriver(MEMBER);
  const now = Object.assign(broker, { replaced: false });
  const client = {
    sessions: 0,
    runs: [] as { values: string[]; positions: readonly Position[]; member: GroupMember }[],
    result: "done" as TransactionResult,
    /** What of a doubtful transaction came about. */
    cameAbout: false,
    open: async () => void client.sessions++,
    partitions: async () => 2,
    async run(
      batches: readonly RecordBatch[],
      positions: readonly Position[],
      member: GroupMember,
    ) {
      const values = batches.flatMap(({ records }) => records.map(({ value }) => String(value)));
      client.runs.push({ values, positions, member });
      if (client.result === "done" || client.cameAbout) await driver.commit(positions);
      return client.result;
    },
    close: async () => undefined,
  };
  const failures: Error[] = [];
  const failed = (error: Error): void => void failures.push(error);
  const replaced = (): boolean => now.replaced;
  const transactions = new Transactions({ driver, client, batchBytes: 150, failed, replaced });
  const partition = new Partition(
    { topic: "in", partition: 0 },
    0,
    "",
    "none",
    transactions.outbox(),
  );
  const stage = (offset: number, value: string): void => {
    const record = encodeRecord({ topic: "out", value }, undefined);
    partition.outbox?.stage(offset, { record, partition: 0 });
  };
  const commit = (offset: number) =>
    transactions.commit([partition], [{ topic: "in", partition: 0, offset, metadata: "" }]);
  return { client, committed, commit, driver, failures, now, partition, stage, transactions };
}

describe("a commit in a transaction", () => {
  it("writes what messages before it have given rise to, in their order, and nothing of later ones", async () => {
    const { client, commit, stage } = open();
    stage(5, "late");
    stage(1, "b");
    stage(0, "a");
    expect(await commit(2)).toEqual(["done"]);
    stage(2, "c");
    expect(await commit(6)).toEqual(["done"]);
    expect(client.runs.map(({ values }) => values)).toEqual([
      ["a", "b"],
      ["c", "late"],
    ]);
  });

  it("is an ordinary one where there is nothing to write", async () => {
    const { client, commit, committed } = open();
    expect(await commit(3)).toEqual(["done"]);
    expect(client.runs).toEqual([]);
    expect(committed.get("in:0")).toBe(3);
  });

  it("writes again what was not committed", async () => {
    const { client, commit, stage } = open();
    stage(0, "a");
    client.result = "retry";
    expect(await commit(1)).toEqual(["retry"]);
    client.result = "done";
    expect(await commit(1)).toEqual(["done"]);
    expect(client.runs.map(({ values }) => values)).toEqual([["a"], ["a"]]);
  });

  it("does not write again what nobody spoke of and was committed", async () => {
    const { client, commit, stage } = open();
    stage(0, "a");
    Object.assign(client, { result: "doubtful", cameAbout: true });
    expect(await commit(1)).toEqual(["retry"]);
    expect(client.sessions).toBe(0);
    client.result = "done";
    stage(1, "b");
    expect(await commit(2)).toEqual(["done"]);
    expect(client.sessions).toBe(1);
    expect(client.runs.map(({ values }) => values)).toEqual([["a"], ["b"]]);
  });

  it("writes again what nobody spoke of and was not committed", async () => {
    const { client, commit, stage } = open();
    stage(0, "a");
    client.result = "doubtful";
    await commit(1);
    client.result = "done";
    expect(await commit(1)).toEqual(["done"]);
    expect(client.sessions).toBe(1);
    expect(client.runs.map(({ values }) => values)).toEqual([["a"], ["a"]]);
  });

  it("does not write again what nobody spoke of, though another partition is committed first", async () => {
    const { client, driver, stage, partition, transactions } = open();
    const other = new Partition(
      { topic: "in", partition: 1 },
      0,
      "",
      "none",
      transactions.outbox(),
    );
    const record = encodeRecord({ topic: "out", value: "b" }, undefined);
    stage(0, "a");
    other.outbox?.stage(0, { record, partition: 0 });
    Object.assign(client, { result: "doubtful", cameAbout: true });
    const both = [partition, other];
    const positions = both.map(({ topic, partition }) => ({
      topic,
      partition,
      offset: 1,
      metadata: "",
    }));
    expect(await transactions.commit(both, positions)).toEqual(["retry", "retry"]);
    client.result = "done";
    expect(await transactions.commit([other], positions.slice(1))).toEqual(["done"]);
    expect(await transactions.commit([partition], positions.slice(0, 1))).toEqual(["done"]);
    expect(client.runs.map(({ values }) => values)).toEqual([["a", "b"]]);
    expect(await driver.committed(both)).toMatchObject([{ offset: 1 }, { offset: 1 }]);
  });

  it("is made as who we were when the partitions were ours", async () => {
    const { client, commit, stage } = open();
    stage(0, "a");
    await commit(1);
    expect(client.runs[0]?.member).toEqual(MEMBER);
  });

  it("gives up partitions that are not ours any more, but not for having joined anew", async () => {
    const { client, commit, now, stage } = open();
    stage(0, "a");
    client.result = "lost";
    expect(await commit(1)).toEqual(["lost"]);
    const run = client.run;
    client.run = async (...given) => {
      now.member = { ...MEMBER, generationId: 8 };
      return run(...given);
    };
    expect(await commit(1)).toEqual(["retry"]);
    now.member = undefined;
    expect(await commit(1)).toEqual(["lost"]);
  });

  it("waits for nothing before it says that partitions are lost: what we are given meanwhile would be lost, too", async () => {
    const { client, commit, driver, stage } = open();
    stage(0, "a");
    client.result = "lost";
    const ask = driver.member.bind(driver);
    let asked = 0;
    driver.member = () => {
      asked++;
      return ask();
    };
    expect(await commit(1)).toEqual(["lost"]);
    expect(asked).toBe(1);
  });

  it("stops the source where it will never come about", async () => {
    const { client, commit, failures, stage } = open();
    stage(0, "a");
    client.result = new KafkaError("KAFKA_TRANSACTION", "Another process has the id.");
    await expect(commit(1)).rejects.toThrow("Another process");
    expect(failures).toMatchObject([{ code: "KAFKA_TRANSACTION" }]);
  });

  it("is not tried again after that: it would begin with taking the id back", async () => {
    const { client, commit, stage } = open();
    stage(0, "a");
    client.result = new KafkaError("KAFKA_TRANSACTION", "Another process has the id.");
    await expect(commit(1)).rejects.toThrow("Another process");
    client.result = "done";
    await expect(commit(1)).rejects.toThrow("Another process");
    expect(client.runs).toHaveLength(1);
  });

  it("is not for who was replaced: it would take the id from the session in its place", async () => {
    const { client, commit, now, stage } = open();
    stage(0, "a");
    now.replaced = true;
    expect(await commit(1)).toEqual(["lost"]);
    expect(client.runs).toEqual([]);
  });

  it("leaves out what a message gave rise to that is handed over again", async () => {
    const { client, commit, partition, stage } = open();
    stage(0, "a");
    stage(1, "first time");
    partition.redeliver({ offset: 1 } as KafkaMessage);
    stage(1, "second time");
    expect(await commit(2)).toEqual(["done"]);
    expect(client.runs[0]?.values).toEqual(["a", "second time"]);
  });
});
