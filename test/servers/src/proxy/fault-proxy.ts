import { once } from "node:events";
import { createServer, connect, type Socket } from "node:net";
import { Pipe } from "./pipe.ts";

const HOST = "127.0.0.1";

/** What is wrong with the network, in both directions. */
export interface Faults {
  /** Milliseconds by which everything arrives later; more can be under way meanwhile. Default 0. */
  readonly latency: number;
  /** Holds everything without closing anything, and lets go of it in order when lifted: a black hole. */
  readonly stall: boolean;
  /** Resets new connections; existing ones go on (`reset()` ends them). */
  readonly down: boolean;
  /** Resets a connection when that many bytes have passed it, both directions together. Default `Infinity`. */
  readonly cutAfter: number;
  /** Passes everything in pieces of at most so many bytes. Default `Infinity`. */
  readonly slice: number;
  /** Bytes a second, for each connection and direction. Default `Infinity`. */
  readonly bandwidth: number;
}

export const noFaults: Faults = {
  latency: 0,
  stall: false,
  down: false,
  cutAfter: Infinity,
  slice: Infinity,
  bandwidth: Infinity,
};

export interface FaultProxy extends AsyncDisposable {
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;
  /** How many connections go through it now. */
  readonly connections: number;
  /** Changes the faults named; they concern existing connections too. */
  set(faults: Partial<Faults>): void;
  /** Ends all faults. */
  clear(): void;
  /** Resets all connections there are now. */
  reset(): void;
  /** Resets all connections and listens no more. */
  close(): Promise<void>;
}

/** A TCP proxy before `127.0.0.1:target` that can be told to fail. `port` 0 is any free one. */
export async function faultProxy(target: number, port = 0): Promise<FaultProxy> {
  let faults = noFaults;
  const connections = new Set<Connection>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (faults.down) {
      client.resetAndDestroy();
      return;
    }
    const connection = new Connection(client, target, faults);
    connections.add(connection);
    client.once("close", () => connections.delete(connection));
  });
  server.listen(port, HOST);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no TCP address");

  const set = (changes: Partial<Faults>): void => {
    faults = { ...faults, ...changes };
    for (const connection of connections) connection.suffer(faults);
  };
  const reset = (): void => {
    for (const connection of connections) connection.reset();
  };
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    reset();
    await once(server, "close");
  };
  return {
    port: address.port,
    get connections() {
      return connections.size;
    },
    set,
    clear: () => set(noFaults),
    reset,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A client, what it wants to talk to, and what passes between them. */
class Connection {
  readonly #sockets: readonly Socket[];
  readonly #pipes: readonly Pipe[];
  #passed = 0;
  #cutAfter: number;

  constructor(client: Socket, target: number, faults: Faults) {
    const server = connect({ host: HOST, port: target, allowHalfOpen: true, noDelay: true });
    this.#sockets = [client, server];
    this.#cutAfter = faults.cutAfter;
    const passed = (bytes: number): void => this.#count(bytes);
    this.#pipes = [
      new Pipe(client, server, faults, passed),
      new Pipe(server, client, faults, passed),
    ];
    for (const socket of this.#sockets) {
      // What breaks one side breaks the other, as it would without a proxy.
      socket.on("error", () => this.reset());
    }
  }

  suffer(faults: Faults): void {
    this.#cutAfter = faults.cutAfter;
    for (const pipe of this.#pipes) pipe.suffer(faults);
  }

  reset(): void {
    for (const pipe of this.#pipes) pipe.close();
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy();
  }

  #count(bytes: number): void {
    this.#passed += bytes;
    if (this.#passed >= this.#cutAfter) this.reset();
  }
}
