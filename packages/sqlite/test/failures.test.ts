import { mkdirSync, truncateSync, writeFileSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { sqlite, sqliteDeadLetter, sqliteQueue } from "@westend/sqlite";
import { fakeContext } from "./support/context.ts";
import { calendarClock, file, folder, held, meddle, queueOf, watched } from "./support/fixtures.ts";

const busy = (): Error => Object.assign(new Error("database is locked"), { errcode: 5 });

describe("a file that cannot be used", () => {
  it("in a folder that is missing is refused with what to do", async () => {
    const path = join(folder(), "missing", "queue.db");
    const error = {
      code: "WESTEND_ERR_CONFIGURATION",
      message: /folder that exists.*Create the folder first/s,
    };
    await expect(sqliteQueue({ path }).open()).rejects.toMatchObject({ code: error.code });
    await expect(sqliteQueue({ path }).enqueue("a")).rejects.toThrow(error.message);
    await expect(Promise.resolve(sqlite({ path }).open(fakeContext()))).rejects.toThrow(
      error.message,
    );
    await expect(sqliteDeadLetter({ path }).open?.()).rejects.toThrow(error.message);
  });

  it("can be opened once its folder is there", async () => {
    const parent = join(folder(), "late");
    const queue = sqliteQueue({ path: join(parent, "queue.db") });
    await expect(queue.open()).rejects.toThrow("folder");
    mkdirSync(parent);
    await queue.open();
    await queue.close();
  });

  it("of another kind is refused and left alone", async () => {
    const path = file();
    writeFileSync(path, "These are notes of mine, and by no means a database.\n".repeat(100));
    const before = readFileSync(path);
    await expect(sqliteQueue({ path }).open()).rejects.toThrow("expected a SQLite database");
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it("of a newer release is refused and left alone", async () => {
    const path = file();
    await (async () => {
      const queue = sqliteQueue({ path });
      await queue.enqueue("a");
      await queue.close();
    })();
    meddle(path, "UPDATE westend_meta SET value = 99 WHERE name = 'version'");
    const queue = sqliteQueue({ path });
    await expect(queue.open()).rejects.toThrow(/version 99.*upgrade/s);
    expect(meddle(path, "SELECT count(*) AS count FROM westend_message")).toEqual([{ count: 1 }]);
  });

  it("whose tables are not ours is refused", async () => {
    const path = file();
    meddle(path, "CREATE TABLE westend_meta (name TEXT, value)");
    await expect(sqliteQueue({ path }).open()).rejects.toThrow("damaged or not ours");
  });

  it("that is cut short says what to do", async () => {
    const path = file();
    const first = sqliteQueue({ path });
    await first.enqueueAll(Array.from({ length: 500 }, () => "x".repeat(500)));
    await first.close();
    truncateSync(path, Math.floor(statSync(path).size / 2 / 4096) * 4096);
    const queue = sqliteQueue({ path });
    await expect(queue.lease().then(() => queue.lease({ limit: 100 }))).rejects.toThrow(/damaged/);
    await queue.close();
  });
});

describe("a message that is damaged on disk", () => {
  it("becomes a dead letter, and the others go on", async () => {
    const path = file();
    const queue = queueOf({ path });
    await queue.enqueueAll(["a", "flip me", "c"]);
    meddle(path, "UPDATE westend_message SET payload = 'flop me' WHERE payload = 'flip me'");
    expect((await queue.lease()).map(({ payload }) => payload)).toEqual(["a", "c"]);
    const [letter] = await queue.deadLetters.list();
    expect(letter).toMatchObject({
      payload: "flop me",
      intact: false,
      error: { name: "DamagedPayload" },
    });
    expect(await queue.counts()).toEqual({ ready: 0, leased: 2, delayed: 0, dead: 1 });
    expect(await queue.deadLetters.redrive({ by: "ada" })).toEqual({ redriven: 0, skipped: 1 });
  });
});

describe("a lock that another process holds", () => {
  it("is waited for, and what was meant to be written is", async () => {
    const { queue, tries } = await held((count, release) => count === 3 && release());
    await Promise.all(["a", "b"].map((each) => queue.enqueue(each)));
    expect(tries()).toBe(3);
    expect((await queue.lease()).map(({ payload }) => payload)).toEqual(["a", "b"]);
  });

  it("does not change the order of what waits for it", async () => {
    let refusals = 0;
    const client = watched((sql) => {
      if (sql === "BEGIN IMMEDIATE" && refusals > 0) {
        refusals -= 1;
        throw busy();
      }
    });
    const queue = queueOf({ client });
    await queue.open();
    refusals = 1;
    const groups = ["a", "b"].map((each) => Array.from({ length: 80 }, () => each));
    await Promise.all(groups.map((group) => queue.enqueueAll(group)));
    const found = [...(await queue.lease()), ...(await queue.lease())];
    expect(found.map(({ payload }) => payload)).toEqual(groups.flat());
  });

  it("does not hold the event loop", async () => {
    let turn = 0;
    const turns = new Set<number>();
    const { queue, client } = await held((count, release) => {
      turns.add(turn);
      if (count === 4) release();
    });
    const ticking = setInterval(() => (turn += 1), 0);
    await queue.enqueue("a");
    clearInterval(ticking);
    expect(turns.size).toBe(4);
    expect(client.prepare("PRAGMA busy_timeout").get()).toEqual({ timeout: 10 });
  });

  it("is given up on in the end, with an error that says so", async () => {
    const path = file();
    const queue = queueOf({ path, busyTimeout: 50 });
    await queue.open();
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    await expect(queue.enqueue("a")).rejects.toMatchObject({
      code: "WESTEND_ERR_PRODUCER",
      message: expect.stringContaining("stayed locked"),
    });
    other.exec("COMMIT");
    other.close();
    await queue.enqueue("b");
    expect((await queue.lease()).map(({ payload }) => payload)).toEqual(["b"]);
  });

  it("may refuse any statement without anything being lost or doubled", async () => {
    let refusals = 40;
    const client = watched((sql) => {
      if (refusals > 0 && !sql.startsWith("PRAGMA") && Math.random() < 0.5) {
        refusals -= 1;
        throw busy();
      }
    });
    const queue = queueOf({ client });
    const ids = Array.from({ length: 30 }, (_, index) => String(index));
    await Promise.all(ids.map((each) => queue.enqueue(each)));
    const messages = await queue.lease();
    expect(messages.map(({ payload }) => payload)).toEqual(ids);
    expect(await queue.acknowledge(messages)).toEqual([]);
    refusals = 0;
    expect(await queue.size()).toBe(0);
  });
});

describe("a transaction that cannot be undone at first", () => {
  it.each([5, 10, 13])("is undone before the next one begins: %i", async (errcode) => {
    let failing: string[] = [];
    const client = watched((sql) => {
      const [next] = failing;
      if (next === undefined || !sql.startsWith(next)) return;
      failing = failing.slice(1);
      throw Object.assign(new Error("it failed"), { errcode: next === "COMMIT" ? 13 : errcode });
    });
    const queue = queueOf({ client });
    await queue.open();
    failing = ["COMMIT", "ROLLBACK", "ROLLBACK"];
    await expect(queue.enqueue("a")).rejects.toThrow("the disk is full");
    await queue.enqueue("b").catch(() => undefined);
    await queue.enqueue("c");
    expect(failing).toEqual([]);
    const left = (await queue.lease()).map(({ payload }) => payload);
    expect(left.filter((payload) => payload !== "b")).toEqual(["c"]);
  });

  it("is not taken for open for ever when SQLite has undone it itself", async () => {
    let refuse = false;
    const client = watched((sql) => {
      if (!refuse) return;
      if (sql === "COMMIT") throw Object.assign(new Error("it failed"), { errcode: 13 });
      if (sql !== "ROLLBACK") return;
      refuse = false;
      // What a refused statement leaves may be gone by the next try.
      queueMicrotask(() => client.exec("ROLLBACK"));
      throw busy();
    });
    const queue = queueOf({ client });
    await queue.open();
    refuse = true;
    await expect(queue.enqueue("a")).rejects.toThrow("the disk is full");
    await queue.enqueue("b");
    expect((await queue.lease()).map(({ payload }) => payload)).toEqual(["b"]);
  });
});

describe("a disk that is full", () => {
  it("rejects what it cannot store, and takes what comes when there is room again", async () => {
    let full = false;
    const client = watched((sql) => {
      if (full && sql === "COMMIT") throw Object.assign(new Error("disk full"), { errcode: 13 });
    });
    const queue = queueOf({ client });
    await queue.enqueue("a");
    full = true;
    const results = await Promise.allSettled([queue.enqueue("b"), queue.enqueue("c")]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await expect(queue.enqueue("d")).rejects.toThrow("the disk is full");
    full = false;
    await queue.enqueue("e");
    expect((await queue.lease()).map(({ payload }) => payload)).toEqual(["a", "e"]);
  });

  it("stores every acknowledged message on a file system of one megabyte", async () => {
    const path = file();
    const client = new DatabaseSync(path);
    client.exec("PRAGMA max_page_count = 256");
    const queue = queueOf({ client });
    const stored: string[] = [];
    const failures: Error[] = [];
    while (failures.length === 0) {
      const name = String(stored.length);
      await queue.enqueue(name.padEnd(5_000, "x")).then(
        () => stored.push(name),
        (error: Error) => failures.push(error),
      );
    }
    expect(failures[0]?.message).toContain("the disk is full");
    const seen: string[] = [];
    for (;;) {
      const messages = await queue.lease();
      if (messages.length === 0) break;
      seen.push(...messages.map(({ payload }) => String(payload).replaceAll("x", "")));
      await queue.acknowledge(messages);
    }
    expect(seen).toEqual(stored);
    client.close();
  });
});

describe("errors", () => {
  it("never show payloads or keys", async () => {
    const secret = "hunter2-hunter2";
    const errors: unknown[] = [];
    const path = file();
    const queue = queueOf({ path, clock: calendarClock() });
    await queue.enqueue(secret, { key: secret });
    const attempts = [
      () => queue.enqueue({ secret } as never),
      () => queue.enqueue("a", { key: `${secret}\0` }),
      () => queue.enqueue("a", { key: { secret } as never }),
      () => queue.enqueue("a", { delay: secret as never }),
      async () => sqliteQueue({ path: { secret } as never }),
      async () => sqlite({ path, onFailure: { secret } as never }),
    ];
    for (const attempt of attempts) await attempt().catch((error: unknown) => errors.push(error));
    meddle(path, "UPDATE westend_message SET checksum = 1");
    await queue.lease();
    errors.push(...(await queue.deadLetters.list()).map(({ error }) => error));
    expect(errors).toHaveLength(attempts.length + 1);
    expect(inspect(errors, { depth: 10 })).not.toContain("hunter2");
    expect(inspect(queue, { depth: 10 })).not.toContain("hunter2");
  });
});
