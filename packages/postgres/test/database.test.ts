import { once } from "node:events";
import { createServer } from "node:net";
import pg from "pg";
import { expect, it, onTestFinished } from "vitest";
import { batchInsert, retryable } from "@westend/postgres";

const packet = (type: string, ...body: Buffer[]): Buffer => {
  const length = Buffer.alloc(4);
  length.writeInt32BE(4 + Buffer.concat(body).length);
  return Buffer.concat([Buffer.from(type), length, ...body]);
};
const DIES = Buffer.concat([
  packet("R", Buffer.from([0, 0, 0, 0])),
  packet("Z", Buffer.from("I")),
  packet("E", Buffer.from("SFATAL\0C57P01\0Mterminating connection\0\0")),
]);

it("survives a server that takes a connection and ends it in the same breath", async () => {
  const server = createServer((socket) => {
    socket.once("data", () => socket.end(DIES));
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  const pool = new pg.Pool({ host: "127.0.0.1", port, user: "nobody", database: "none" });
  onTestFinished(async () => {
    await pool.end();
    server.close();
  });

  const sink = batchInsert(pool, { table: "events", columns: { id: "bigint" } });

  const error = await sink.open().catch((reason: unknown) => reason);
  expect(retryable(error)).toBe(true);
});
