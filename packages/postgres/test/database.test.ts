import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import pg from "pg";
import { expect, it, onTestFinished } from "vitest";
import { describeWith } from "test-servers/vitest";
import { batchInsert, postgresInbox, retryable } from "@westend/postgres";
import { Database } from "../src/database.ts";
import { testDatabase } from "./support/database.ts";
import { messages } from "./support/messages.ts";

const packet = (type: string, ...body: Buffer[]): Buffer => {
  const length = Buffer.alloc(4);
  length.writeInt32BE(4 + Buffer.concat(body).length);
  return Buffer.concat([Buffer.from(type), length, ...body]);
};
const GREETS = Buffer.concat([
  packet("R", Buffer.from([0, 0, 0, 0])),
  packet("Z", Buffer.from("I")),
]);
const DIES = Buffer.concat([
  GREETS,
  packet("E", Buffer.from("SFATAL\0C57P01\0Mterminating connection\0\0")),
]);

/** A pool of a server of our own. */
async function poolOf(talk: (socket: Socket) => void): Promise<pg.Pool> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    talk(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const pool = new pg.Pool({ host: "127.0.0.1", port, user: "nobody", database: "none" });
  onTestFinished(async () => {
    await pool.end();
    server.close();
  });
  return pool;
}

it("survives a server that takes a connection and ends it in the same breath", async () => {
  const pool = await poolOf((socket) => socket.once("data", () => socket.end(DIES)));

  const sink = batchInsert(pool, { table: "events", columns: { id: "bigint" } });

  const error = await sink.open().catch((reason: unknown) => reason);
  expect(retryable(error)).toBe(true);
});

it("says once that it cannot listen when the connection is lost while it begins to", async () => {
  const pool = await poolOf((socket) =>
    socket.once("data", () => {
      socket.write(GREETS);
      socket.once("data", () => socket.end());
    }),
  );
  let losses = 0;
  const listening = new Database(pool).listen(
    pool,
    "channel",
    () => undefined,
    () => (losses += 1),
  );
  await expect(listening).rejects.toThrow("Connection terminated");
  expect(losses).toBe(0);
  expect(pool.totalCount).toBe(0);
});

/** An inbox on a connection of its own, outside any pool; effects are rows. */
async function single() {
  const { url, schema, rows } = await testDatabase("create table effect (id text)");
  const connect = async () => {
    const client = new pg.Client({
      connectionString: url,
      options: `-c search_path=${schema} -c application_name=${schema}`,
    });
    await client.connect();
    onTestFinished(() => client.end());
    return postgresInbox(client, { name: "effects", schema, timeout: 200 });
  };
  const add = (inbox: Awaited<ReturnType<typeof connect>>, before: () => Promise<unknown>) =>
    inbox.handle(messages(["a"]), {
      id: ({ data }) => data,
      async apply(fresh, transaction) {
        await before();
        for (const { data } of fresh) {
          await transaction.query({ text: "insert into effect values ($1)", values: [data] });
        }
      },
    });
  const effects = async () => (await rows("select id from effect")).map(({ id }) => id);
  const open = async () =>
    (await rows("select 1 from pg_stat_activity where application_name = $1", [schema])).length;
  return { connect, add, effects, open };
}

describeWith("postgres", "a single connection", () => {
  it("does not commit with the next batch what was left of one whose work took too long", async () => {
    const { connect, add, effects, open } = await single();
    const inbox = await connect();
    await inbox.open();
    let goOn = (): void => undefined;
    const late = add(inbox, () => new Promise<void>((resolve) => (goOn = resolve)));
    await expect(late).rejects.toThrow("the connection was closed");
    await expect(add(inbox, async () => undefined)).rejects.toThrow(/closed/);
    goOn();
    await expect.poll(open).toBe(0);
    expect(await effects()).toEqual([]);
    await add(await connect(), async () => undefined);
    expect(await effects()).toEqual(["a"]);
  });

  it("does not take an error of something else for the loss of it, and undoes what was begun", async () => {
    const { connect, add, effects } = await single();
    const inbox = await connect();
    const refusal = { code: "ECONNREFUSED" };
    const refused = Object.assign(new Error("nobody is there"), refusal);
    await expect(add(inbox, () => Promise.reject(refused))).rejects.toMatchObject(refusal);
    await add(inbox, async () => undefined);
    expect(await effects()).toEqual(["a"]);
  });
});

describeWith("postgres", "a connection of a pool", () => {
  it("that is lost between two statements says what for", async () => {
    const { pool } = await testDatabase();
    const work = new Database(pool).transaction(async ({ client, query }) => {
      const lost = once(client as pg.PoolClient, "error");
      const { rows } = await query({ text: "select pg_backend_pid() as id" });
      await pool.query("select pg_terminate_backend($1)", [rows[0].id]);
      await lost;
      await query({ text: "select 1" });
    });
    await expect(work).rejects.toMatchObject({
      message: expect.stringContaining("not queryable"),
      cause: { code: "57P01" },
    });
    expect(pool.totalCount).toBe(1);
  });
});

it("hears of the loss of a single connection, which would end the process", () => {
  const client = new pg.Client();
  for (let each = 0; each < 20; each += 1) postgresInbox(client, { name: `${each}` });
  expect(() => client.emit("error", new Error("Connection terminated"))).not.toThrow();
  expect(client.listenerCount("error")).toBe(1);
});

it("begins nothing more on a connection that was given up, even if it has no way to close it", async () => {
  const said: string[] = [];
  const client = {
    query({ text }: { readonly text: string }) {
      said.push(text);
      return Promise.resolve({ rows: [] });
    },
  };
  const late = new Database(client, 20).transaction((session) =>
    session.bounded(new Promise(() => undefined)),
  );
  await expect(late).rejects.toThrow("the connection was closed");

  const error = await new Database(client)
    .transaction(async () => undefined)
    .catch((reason: unknown) => reason);
  expect(retryable(error)).toBe(true);
  expect(said).toEqual(["begin"]);
});

it("closes a connection that cannot be rolled back instead of giving it back to the pool", async () => {
  const released: unknown[] = [];
  const connection = {
    query: ({ text }: { readonly text: string }) =>
      text === "begin" ? Promise.resolve({ rows: [] }) : Promise.reject(new Error(`no ${text}`)),
    release: (destroy?: boolean) => void released.push(destroy),
    on: () => undefined,
    removeListener: () => undefined,
  };
  const pool = { totalCount: 1, connect: () => Promise.resolve(connection), on: () => undefined };
  const database = new Database(pool);
  await expect(
    database.transaction(() => Promise.reject(new Error("changed its mind"))),
  ).rejects.toThrow("changed its mind");
  expect(released).toEqual([true]);
});
