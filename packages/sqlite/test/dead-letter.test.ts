import { describe, expect, it, onTestFinished } from "vitest";
import type { DeadLetter } from "westend";
import { sqliteDeadLetter, type SqliteDeadLetterOptions } from "@westend/sqlite";
import { calendarClock, file, meddle, queueOf } from "./support/fixtures.ts";

const signal = new AbortController().signal;

function letter(changes: Partial<DeadLetter> = {}): DeadLetter {
  return {
    pipeline: "orders",
    source: "kafka",
    payload: "a",
    metadata: { topic: "t", offset: 5n },
    key: 7,
    reason: new TypeError("no such order"),
    attempts: 3,
    batcher: "ledger",
    receivedAt: 1_000.5,
    failedAt: 2_000,
    ...changes,
  };
}

async function opened(options: Partial<SqliteDeadLetterOptions> = {}, clock = calendarClock()) {
  const queue = queueOf({ clock });
  const sink = sqliteDeadLetter({ queue, ...options });
  await sink.open?.();
  onTestFinished(async () => sink.close?.());
  return { clock, queue, sink, write: (...letters: DeadLetter[]) => sink.write(letters, signal) };
}

describe("sqliteDeadLetter", () => {
  it("keeps everything needed to look into a letter", async () => {
    const { queue, write } = await opened();
    await write(letter());
    const [kept] = await queue.deadLetters.list();
    expect(kept).toMatchObject({
      payload: "a",
      intact: true,
      key: "7",
      metadata: { topic: "t", offset: "5" },
      pipeline: "orders",
      source: "kafka",
      batcher: "ledger",
      error: { name: "TypeError", code: undefined, message: "no such order" },
      attempts: 3,
      receivedAt: 1_001,
      failedAt: 2_000,
    });
    expect(kept?.error.stack?.split("\n").length).toBeLessThanOrEqual(10);
    expect(kept?.error.stack).not.toContain("no such order");
  });

  it("stores a letter of a SQLite queue once, however often it is written", async () => {
    const { queue, write } = await opened();
    await queue.enqueue("a");
    const [message] = await queue.lease();
    const mine = letter({ metadata: message?.metadata });
    await write(mine, letter());
    await write(mine, letter());
    expect(await queue.deadLetters.count({ pipeline: "orders" })).toBe(3);
  });

  it("stores a letter of another source once if told what it is recognised by", async () => {
    const { queue, write } = await opened({ identify: ({ payload }) => String(payload) });
    await write(letter(), letter());
    await write(letter(), letter({ source: "other" }));
    expect(await queue.deadLetters.count()).toBe(2);
  });

  it("does not take two messages for one because their files number them alike", async () => {
    const [one, two] = [queueOf(), queueOf()];
    const { queue, write } = await opened();
    for (const source of [one, two]) {
      await source.enqueue("a");
      const [message] = await source.lease();
      await write(letter({ metadata: message?.metadata }));
    }
    expect(await queue.deadLetters.count()).toBe(2);
  });

  it.each<[string, unknown, string]>([
    ["a string", "just text", "string: just text"],
    ["nothing", undefined, "undefined: "],
    ["null", null, "null: "],
    ["a symbol", Symbol("s"), "symbol: s"],
    ["an object", { message: "m", name: "n" }, "n: m"],
    ["control characters", new Error("a\u001b[31mred\u001b[0m\r\nb\u0000c"), "Error: ared b c"],
    ["an aborted signal", AbortSignal.abort().reason, "AbortError: This operation was aborted"],
  ])("describes %s that was thrown", async (_, reason, expected) => {
    const { queue, write } = await opened();
    await write(letter({ reason }));
    const [kept] = await queue.deadLetters.list();
    expect(`${kept?.error.name}: ${kept?.error.message}`).toBe(expected);
  });

  it("survives errors and metadata that are made to break it", async () => {
    const { queue, write } = await opened();
    const trap = new Proxy(
      {},
      {
        getOwnPropertyDescriptor: () => {
          throw new Error("trap");
        },
        ownKeys: () => {
          throw new Error("trap");
        },
      },
    );
    const cyclic: Record<string, unknown> = {
      deep: { deeper: {} },
      get evil() {
        throw new Error("getter");
      },
    };
    cyclic["self"] = cyclic;
    await write(
      letter({ reason: trap }),
      letter({
        reason: {
          get message() {
            throw new Error("getter");
          },
        },
      }),
      letter({ reason: new Error("x".repeat(1e6)) }),
      letter({ metadata: cyclic }),
      letter({
        metadata: { big: "x".repeat(1e6), list: Array.from({ length: 1e5 }, () => "long enough") },
      }),
      letter({ key: "\ud800" }),
    );
    const kept = await queue.deadLetters.list();
    expect(kept).toHaveLength(6);
    expect(kept[2]?.error.message.length).toBeLessThanOrEqual(1_000);
    expect(JSON.stringify(kept[4]?.metadata).length).toBeLessThanOrEqual(8_192);
    expect(kept[5]?.key).toBeUndefined();
  });

  it("stores payloads that are no text as JSON, or at least to be looked at", async () => {
    const { queue, write } = await opened();
    const cyclic: Record<string, unknown> = {};
    cyclic["self"] = cyclic;
    await write(
      letter({ payload: { id: 1 } }),
      letter({ payload: cyclic }),
      letter({ payload: undefined }),
    );
    const kept = await queue.deadLetters.list();
    expect(kept.map(({ payload, intact }) => ({ payload, intact }))).toEqual([
      { payload: '{"id":1}', intact: true },
      { payload: "<ref *1> { self: [Circular *1] }", intact: false },
      { payload: "undefined", intact: false },
    ]);
  });

  it("stores what `seal` makes of a payload, and nothing of the payload itself", async () => {
    const path = file();
    const queue = queueOf({ path });
    const sink = sqliteDeadLetter({ queue, seal: () => "sealed" });
    await sink.write([letter({ payload: "secret-4711" })], signal);
    await queue.close();
    const { readFileSync } = await import("node:fs");
    expect(readFileSync(path).includes("secret-4711")).toBe(false);
    expect(readFileSync(path).includes("sealed")).toBe(true);
  });

  it("deletes letters that are older than they may get", async () => {
    const { queue, write, clock } = await opened({ ttl: 1_000 });
    await write(letter({ failedAt: clock.date() }));
    clock.pass(1_001);
    await write(letter({ failedAt: clock.date(), payload: "b" }));
    expect((await queue.deadLetters.list()).map(({ payload }) => payload)).toEqual(["b"]);
  });

  it("writes to a file of its own, and closes it", async () => {
    const path = file();
    const sink = sqliteDeadLetter({ path });
    await sink.open?.();
    await sink.write([letter(), letter()], signal);
    await sink.close?.();
    expect(meddle(path, "SELECT count(*) AS count FROM westend_dead_letter")).toEqual([
      { count: 2 },
    ]);
  });
});

describe("dead letters", () => {
  const named = (name: string, changes: Partial<DeadLetter> = {}) =>
    letter({
      reason: Object.assign(new Error(`${name} happened`), { name, code: `E_${name}` }),
      ...changes,
    });

  it("are found by what is known about them", async () => {
    const { queue, write } = await opened();
    await write(
      named("A", { payload: "1", failedAt: 100, key: "k" }),
      named("B", { payload: "2", failedAt: 200, pipeline: "other" }),
      named("A", { payload: "3", failedAt: 300 }),
    );
    const find = async (filter: Parameters<typeof queue.deadLetters.list>[0]) =>
      (await queue.deadLetters.list(filter)).map(({ payload }) => payload).join("");
    expect(await find({ name: "A" })).toBe("13");
    expect(await find({ code: "E_B" })).toBe("2");
    expect(await find({ reason: "B happened" })).toBe("2");
    expect(await find({ pipeline: "other" })).toBe("2");
    expect(await find({ key: "k" })).toBe("1");
    expect(await find({ since: 200, before: 300 })).toBe("2");
    expect(await find({ ids: [1, 3] })).toBe("13");
    expect(await find({ name: "A", after: 1 })).toBe("3");
    expect(await find({ limit: 1 })).toBe("1");
    expect(await find({ name: "' OR 1=1 --" })).toBe("");
  });

  it("go back into the queue as new messages, and leave a record", async () => {
    const { queue, write } = await opened();
    await write(
      named("A", { payload: new Uint8Array([1]) }),
      named("B"),
      named("A", { payload: "3" }),
    );
    const report = await queue.deadLetters.redrive({ by: "ada", name: "A" });
    expect(report).toEqual({ redriven: 2, skipped: 0 });
    const messages = await queue.lease();
    expect(messages.map(({ payload, attempt, key }) => ({ payload, attempt, key }))).toEqual([
      { payload: new Uint8Array([1]), attempt: 1, key: "7" },
      { payload: "3", attempt: 1, key: "7" },
    ]);
    expect(await queue.deadLetters.count()).toBe(1);
    expect(await queue.deadLetters.audit()).toMatchObject([
      { action: "redrive", by: "ada", count: 2, edited: false, filter: '{"name":"A"}' },
    ]);
  });

  it("can be mended on the way, or left where they are", async () => {
    const { queue, write } = await opened();
    await write(letter({ payload: "a" }), letter({ payload: "keep" }));
    const report = await queue.deadLetters.redrive({
      by: "ada",
      edit: async ({ payload }) => (payload === "keep" ? undefined : `${String(payload)}!`),
    });
    expect(report).toEqual({ redriven: 1, skipped: 1 });
    expect((await queue.lease()).map(({ payload }) => payload)).toEqual(["a!"]);
  });

  it("stay where they are in a dry run", async () => {
    const { queue, write } = await opened();
    await write(letter(), letter());
    expect(await queue.deadLetters.redrive({ by: "ada", dryRun: true })).toEqual({
      redriven: 2,
      skipped: 0,
    });
    expect(await queue.deadLetters.count()).toBe(2);
    expect(await queue.size()).toBe(0);
    expect(await queue.deadLetters.audit()).toEqual([]);
  });

  it("go back in any number, up to the limit", async () => {
    const { queue, write } = await opened();
    await write(...Array.from({ length: 350 }, (_, index) => letter({ payload: String(index) })));
    expect((await queue.deadLetters.redrive({ by: "ada", limit: 120 })).redriven).toBe(120);
    expect((await queue.deadLetters.redrive({ by: "ada" })).redriven).toBe(230);
    expect(await queue.counts()).toMatchObject({ ready: 350, dead: 0 });
  });

  it("go back once when two send them back at the same time", async () => {
    const path = file();
    const [one, two] = [queueOf({ path }), queueOf({ path })];
    await sqliteDeadLetter({ queue: one }).write([letter(), letter(), letter()], signal);
    let editing = 0;
    const edit = async (): Promise<string> => {
      editing += 1;
      await expect.poll(() => editing).toBeGreaterThan(1);
      return "mended";
    };
    const reports = await Promise.all(
      [one, two].map((queue) => queue.deadLetters.redrive({ by: "ada", edit })),
    );
    expect(reports.reduce((sum, { redriven }) => sum + redriven, 0)).toBe(3);
    expect(await one.counts()).toMatchObject({ ready: 3, dead: 0 });
  });

  it("that cannot be restored are not redriven unless they are mended", async () => {
    const { queue, write } = await opened();
    const cyclic: Record<string, unknown> = {};
    cyclic["self"] = cyclic;
    await write(letter({ payload: cyclic }));
    expect(await queue.deadLetters.redrive({ by: "ada" })).toEqual({ redriven: 0, skipped: 1 });
    expect(await queue.deadLetters.redrive({ by: "ada", edit: () => "{}" })).toEqual({
      redriven: 1,
      skipped: 0,
    });
  });

  it("are sent back and deleted by a clock that knows parts of milliseconds", async () => {
    const clock = calendarClock(1_700_000_000_000.5);
    const queue = queueOf({ clock });
    const sink = sqliteDeadLetter({ queue });
    await sink.write([letter(), letter()], signal);
    expect(await queue.deadLetters.redrive({ by: "ada", limit: 1 })).toMatchObject({ redriven: 1 });
    expect(await queue.deadLetters.purge({ by: "cron", olderThan: 0 })).toBe(1);
    expect(await queue.lease()).toHaveLength(1);
  });

  it("are deleted when they are old enough, and leave a record", async () => {
    const { queue, write, clock } = await opened();
    await write(...Array.from({ length: 150 }, () => letter({ failedAt: clock.date() - 100 })));
    await write(letter({ failedAt: clock.date() }));
    expect(await queue.deadLetters.purge({ by: "cron", olderThan: 50 })).toBe(150);
    expect(await queue.deadLetters.count()).toBe(1);
    expect(await queue.deadLetters.audit()).toMatchObject([
      { action: "purge", by: "cron", count: 150 },
    ]);
  });
});
