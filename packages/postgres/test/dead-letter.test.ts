import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { describeWith } from "test-servers/vitest";
import { definePipeline, json, text, type DeadLetter } from "westend";
import { batchInsert, postgres, postgresDeadLetter, postgresQueue } from "@westend/postgres";
import { testDatabase } from "./support/database.ts";

const signal = new AbortController().signal;

async function letters() {
  const database = await testDatabase();
  const queue = postgresQueue(database.pool, { schema: database.schema, name: "jobs" });
  await queue.open();
  return { ...database, queue };
}

const letter = (changes: Partial<DeadLetter> = {}): DeadLetter => ({
  pipeline: "p",
  source: "s",
  payload: "payload",
  metadata: { offset: 7n, nested: { at: new Date(0) } },
  key: "k",
  reason: Object.assign(new TypeError("no good"), { code: "E_BAD" }),
  attempts: 3,
  batcher: "b",
  receivedAt: 1_700_000_000_000,
  failedAt: 1_700_000_001_000,
  ...changes,
});

describeWith("postgres", "postgresDeadLetter", () => {
  it("keeps everything about a letter", async () => {
    const { queue } = await letters();
    const sink = postgresDeadLetter({ queue });
    await sink.open?.();
    await sink.write([letter()] as never, signal);
    expect(await queue.deadLetters.list()).toEqual([
      {
        id: 1,
        payload: "payload",
        intact: true,
        key: "k",
        metadata: { offset: "7", nested: { at: "1970-01-01T00:00:00.000Z" } },
        pipeline: "p",
        source: "s",
        batcher: "b",
        error: {
          name: "TypeError",
          code: "E_BAD",
          message: "no good",
          stack: expect.stringContaining("at "),
        },
        attempts: 3,
        receivedAt: 1_700_000_000_000,
        failedAt: 1_700_000_001_000,
      },
    ]);
  });

  it.each<[string, unknown, unknown, boolean]>([
    ["objects as JSON", { a: [1] }, '{"a":[1]}', true],
    ["what JSON cannot hold for people to look at", { a: 1n }, "{ a: 1n }", false],
    ["text no UTF-8 can hold", "\ud800\0", "\ud800\0", true],
  ])("stores %s", async (_, payload, stored, intact) => {
    const { queue } = await letters();
    await postgresDeadLetter({ queue }).write([letter({ payload, key: "\0" })] as never, signal);
    expect(await queue.deadLetters.list()).toMatchObject([
      { payload: stored, intact, key: undefined },
    ]);
  });

  it("stores a letter once that it can recognise", async () => {
    const { queue } = await letters();
    const sink = postgresDeadLetter({ queue, identify: ({ payload }) => payload as string });
    await sink.write([letter(), letter(), letter({ payload: "b" })] as never, signal);
    await sink.write([letter()] as never, signal);
    expect(await queue.deadLetters.count()).toBe(2);
  });

  it("recognises a letter by whatever text it is told, also by what no index takes", async () => {
    const { queue } = await letters();
    const sink = postgresDeadLetter({ queue, identify: ({ payload }) => payload as string });
    const random = Array.from({ length: 400 }, () => randomUUID()).join("");
    const batch = [random, `${random}!`, "a\0", "\ud800", "\ud801"].map((payload) =>
      letter({ payload }),
    );
    await sink.write(batch, signal);
    await sink.write(batch, signal);
    expect(await queue.deadLetters.count()).toBe(batch.length);
  });

  it("seals payloads and deletes old letters if told to", async () => {
    const { queue } = await letters();
    const sink = postgresDeadLetter({ queue, seal: () => "sealed", ttl: 90 * 86_400_000 });
    await sink.write([letter(), letter({ failedAt: Date.now() })] as never, signal);
    expect(await queue.deadLetters.list()).toMatchObject([{ payload: "sealed" }]);
  });

  it("finds letters by what is known of them", async () => {
    const { queue } = await letters();
    const sink = postgresDeadLetter({ queue });
    const other = letter({ reason: "text", pipeline: "q", key: "l", failedAt: 1_700_000_009_000 });
    await sink.write([letter(), other] as never, signal);
    const { deadLetters } = queue;
    const ids = async (filter: object): Promise<number[]> =>
      (await deadLetters.list(filter)).map(({ id }) => id);
    expect(await ids({ name: "TypeError", code: "E_BAD", reason: "good" })).toEqual([1]);
    expect(await ids({ pipeline: "q", key: "l" })).toEqual([2]);
    expect(await ids({ since: 1_700_000_005_000 })).toEqual([2]);
    expect(await ids({ before: 1_700_000_005_000 })).toEqual([1]);
    expect(await ids({ ids: [2, 3] })).toEqual([2]);
    expect(await ids({ after: 1 })).toEqual([2]);
    expect(await deadLetters.count({ reason: "te" })).toBe(1);
  });

  it("sends letters back, mended, and leaves a record of who did it", async () => {
    const { queue } = await letters();
    const sink = postgresDeadLetter({ queue });
    await sink.write([letter(), letter({ payload: "keep" }), letter()] as never, signal);
    const { deadLetters } = queue;
    const edit = ({ payload }: { payload: unknown }) =>
      payload === "keep" ? undefined : `${payload as string}!`;
    expect(await deadLetters.redrive({ by: "ada", edit, dryRun: true })).toEqual({
      redriven: 2,
      skipped: 1,
    });
    expect(await deadLetters.redrive({ by: "ada", name: "TypeError", edit })).toEqual({
      redriven: 2,
      skipped: 1,
    });
    const leased = await queue.lease();
    expect(leased).toMatchObject([
      { payload: "payload!", key: "k", attempt: 1 },
      { payload: "payload!" },
    ]);
    expect(await deadLetters.purge({ by: "cron", olderThan: 1 })).toBe(1);
    expect(await deadLetters.audit()).toMatchObject([
      { action: "purge", by: "cron", count: 1 },
      { action: "redrive", by: "ada", count: 2, edited: true, filter: '{"name":"TypeError"}' },
    ]);
  });

  it("lists letters and sends them back in the order of their numbers, whatever their number of digits", async () => {
    const { queue } = await letters();
    const all = Array.from({ length: 230 }, (_, index) => letter({ payload: `${index + 1}` }));
    await postgresDeadLetter({ queue }).write(all, signal);
    const ids = (await queue.deadLetters.list({ limit: 1_000 })).map(({ id }) => id);
    expect(ids).toEqual(all.map((_, index) => index + 1));

    const report = await queue.deadLetters.redrive({ by: "ada" });
    expect(report).toEqual({ redriven: 230, skipped: 0 });
    const [first] = await queue.lease({ limit: 1 });
    expect(first?.payload).toBe("1");
    expect(await queue.deadLetters.count()).toBe(0);
  });

  it("gets the one message of a pipeline whose row does not fit, with the reason; mended and sent back it is written", async () => {
    const { queue, pool, rows } = await letters();
    await pool.query("create table event (id integer primary key check (id >= 0))");
    const event = batchInsert(pool, { table: "event", columns: { id: "integer" } });
    await queue.enqueueAll(Array.from({ length: 300 }, (_, id) => `${id === 123 ? -123 : id}`));
    const pipeline = definePipeline({
      name: "events",
      producer: postgres({ queue, finite: true, idle: 20 }),
      decoder: json(),
      processor: {
        handle: (message) => message.to("event", { id: message.data as number }),
      },
      batchers: { event: { size: 100, timeout: 50, handle: event.handle } },
      deadLetter: postgresDeadLetter({ queue }),
    });
    const first = await pipeline.start();
    expect(await first.done).toMatchObject({ succeeded: 299, deadLettered: 1 });
    expect(await queue.deadLetters.list()).toMatchObject([
      { payload: "-123", batcher: "event", error: { name: "RowError", code: "23514" } },
    ]);
    await queue.deadLetters.redrive({ by: "ada", edit: () => "123" });
    const second = await pipeline.start();
    expect(await second.done).toMatchObject({ succeeded: 1 });
    expect(await rows("select count(*)::int as count from event")).toEqual([{ count: 300 }]);
  });

  it("is where a source puts messages itself if told to", async () => {
    const { queue } = await letters();
    await queue.enqueueAll([{ payload: "a", key: "k" }, { payload: "b" }]);
    const pipeline = definePipeline({
      name: "failing",
      producer: postgres({ queue, finite: true, idle: 20, onFailure: "deadLetter" }),
      decoder: text(),
      processor: {
        handle() {
          throw new RangeError("too far");
        },
      },
    });
    const running = await pipeline.start();
    expect(await running.done).toMatchObject({ failed: 2 });
    expect(await queue.deadLetters.list()).toMatchObject([
      { payload: "a", key: "k", pipeline: "failing", error: { name: "RangeError" } },
      { payload: "b", key: undefined },
    ]);
    expect(await queue.counts()).toEqual({ ready: 0, leased: 0, delayed: 0, dead: 2 });
  });

  it("lists every mistake in its options", () => {
    expect(() => postgresDeadLetter({ ttl: -1, seal: 1 } as never)).toThrow(/3 mistakes/);
  });
});
