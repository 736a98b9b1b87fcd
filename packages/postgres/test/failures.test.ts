import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { batchInsert, retryable } from "@westend/postgres";

const columns = { id: "bigint" } as const;

async function openAt(port: number): Promise<unknown> {
  const connectionString = `postgres://ada:love-letter@127.0.0.1:${port}/app`;
  const pool = new pg.Pool({ connectionString, connectionTimeoutMillis: 100 });
  try {
    return await batchInsert(pool, { table: "events", columns }).open();
  } catch (error) {
    return error;
  } finally {
    await pool.end();
  }
}

describe("a server that is not there", () => {
  it("is named, and may be tried again", async () => {
    const error = await openAt(1);
    expect(error).toMatchObject({
      code: "ECONNREFUSED",
      message: expect.stringContaining("cannot be reached (ECONNREFUSED 127.0.0.1:1)"),
    });
    expect(retryable(error)).toBe(true);
  });

  it("is told from one that takes connections but does not answer, which may be tried again, too", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket.on("error", () => undefined)));
    await once(silent.listen(0, "127.0.0.1"), "listening");
    try {
      const error = await openAt((silent.address() as { port: number }).port);
      expect(error).toMatchObject({
        code: "ETIMEDOUT",
        message: expect.stringContaining("no connection within `connectionTimeoutMillis`"),
      });
      expect(retryable(error)).toBe(true);
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
    }
  });

  it("is said without its password", async () => {
    const { inspect } = await import("node:util");
    expect(inspect(await openAt(1), { depth: 20 })).not.toContain("love-letter");
  });
});
