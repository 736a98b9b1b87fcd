import { once } from "node:events";
import { connect, createServer, type Server, Socket } from "node:net";
import { type FaultProxy, faultProxy } from "test-servers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

describe("the fault proxy", () => {
  let echo: Server;
  let proxy: FaultProxy;
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    echo = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.pipe(socket);
    });
    echo.listen(0, "127.0.0.1");
    await once(echo, "listening");
    proxy = await faultProxy((echo.address() as { port: number }).port);
  });

  afterEach(async () => {
    await proxy.close();
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    echo.close();
  });

  const client = async (): Promise<Client> => {
    const socket = connect(proxy.port, "127.0.0.1");
    sockets.add(socket);
    const seen = new Client(socket);
    await Promise.race([once(socket, "ready"), seen.closed]).catch(() => {});
    return seen;
  };

  it("passes everything in order, and the end of it", async () => {
    const one = await client();
    const sent = Buffer.alloc(5_000_000, "abc");

    one.socket.end(sent);
    await one.closed;

    expect(Buffer.concat(one.chunks).equals(sent)).toBe(true);
  });

  it("delays by its latency without waiting for one chunk before it takes the next", async () => {
    proxy.set({ latency: 200 });
    const one = await client();
    const started = performance.now();

    for (let index = 0; index < 20; index++) {
      one.socket.write("x");
      await new Promise(setImmediate);
    }
    await one.received(20);

    expect(performance.now() - started).toBeGreaterThanOrEqual(399);
  });

  it("holds what comes while it stalls, and lets go of it in order", async () => {
    const one = await client();
    proxy.set({ stall: true });
    one.socket.write("a");
    one.socket.write("b");
    const other = await client();
    await vi.waitFor(() => expect(proxy.connections).toBe(2));
    expect([...one.chunks, ...other.chunks]).toEqual([]);

    proxy.clear();

    await one.received(2);
    expect(String(Buffer.concat(one.chunks))).toBe("ab");
  });

  it("holds back a sender whose receiver does not read", async () => {
    proxy.set({ stall: true });
    const one = await client();

    for (let sent = 0; sent < 64; sent++) one.socket.write(Buffer.alloc(1 << 20));

    for (let turn = 0; turn < 2000; turn++) await new Promise(setImmediate);

    expect(one.socket.writableLength).toBeGreaterThan(16 << 20);
  });

  it("resets new connections while it is down, and no longer", async () => {
    proxy.set({ down: true });
    const refused = await client();
    expect(await refused.closed).toBe("ECONNRESET");

    proxy.set({ down: false });

    const one = await client();
    one.socket.write("a");
    await one.received(1);
  });

  it("resets all connections on request", async () => {
    const both = [await client(), await client()];
    for (const one of both) one.socket.write("a");
    for (const one of both) await one.received(1);

    proxy.reset();

    expect(await Promise.all(both.map(({ closed }) => closed))).toEqual([
      "ECONNRESET",
      "ECONNRESET",
    ]);
    expect(proxy.connections).toBe(0);
  });

  it("cuts a connection after so many bytes", async () => {
    proxy.set({ cutAfter: 1000 });
    const one = await client();

    one.socket.write(Buffer.alloc(2000));

    expect(await one.closed).toBe("ECONNRESET");
  });

  it("passes small pieces where told to slice", async () => {
    proxy.set({ slice: 3 });
    const one = await client();
    const writes = vi.spyOn(Socket.prototype, "write");

    one.socket.write("0123456789");
    await one.received(10);

    const lengths = writes.mock.calls.map(([chunk]) => (chunk as Buffer).length);
    writes.mockRestore();
    expect(lengths.slice(0, 5)).toEqual([10, 3, 3, 3, 1]);
    expect(String(Buffer.concat(one.chunks))).toBe("0123456789");
  });

  it("takes the time that its bandwidth asks for", async () => {
    proxy.set({ bandwidth: 100_000 });
    const one = await client();
    const started = performance.now();

    one.socket.write(Buffer.alloc(50_000));
    await one.received(50_000);

    expect(performance.now() - started).toBeGreaterThan(400);
  });

  it("resets its client when the server resets", async () => {
    const one = await client();
    one.socket.write("a");
    await one.received(1);

    for (const socket of sockets) if (socket !== one.socket) socket.resetAndDestroy();

    expect(await one.closed).toBe("ECONNRESET");
  });
});

/** What a client has seen of its connection. */
class Client {
  readonly chunks: Buffer[] = [];
  /** The code of the error that ended it, if one did. */
  readonly closed: Promise<string | undefined>;
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
    let code: string | undefined;
    socket.on("error", (error: NodeJS.ErrnoException) => (code = error.code));
    socket.on("data", (chunk: Buffer) => this.chunks.push(chunk));
    this.closed = new Promise((resolve) => socket.once("close", () => resolve(code)));
  }

  async received(bytes: number): Promise<void> {
    while (this.chunks.reduce((sum, { length }) => sum + length, 0) < bytes)
      await once(this.socket, "data");
  }
}
