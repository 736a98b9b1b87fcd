import type { Socket } from "node:net";
import type { RequestFaults } from "./faults.ts";
import { type ApiName, apiOf, apis, errors } from "./protocol.ts";
import { versions } from "./requests/cluster.ts";
import { handlers } from "./requests/index.ts";
import type { Store } from "./store.ts";
import { Reader, type Writer } from "./wire.ts";

/** What stands before each request: its length. */
const LENGTH = 4;

export interface ConnectionContext {
  readonly store: Store;
  readonly faults: RequestFaults;
  readonly port: number;
  /** Told of each request that came. */
  readonly received: (api: ApiName) => void;
}

/** One client: its requests are answered one after another, in the order in which they came. */
export class Connection {
  readonly #socket: Socket;
  readonly #context: ConnectionContext;
  readonly #gone = new AbortController();
  #received: Buffer = Buffer.alloc(0);
  #work: Promise<void> = Promise.resolve();

  constructor(socket: Socket, context: ConnectionContext) {
    this.#socket = socket;
    this.#context = context;
    socket.on("data", (bytes: Buffer) => this.#take(bytes));
    socket.on("error", () => {});
    socket.once("close", () => this.#gone.abort());
  }

  drop(): void {
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes]);
    while (this.#received.length >= LENGTH) {
      const end = LENGTH + this.#received.readInt32BE();
      if (this.#received.length < end) return;
      const request = new Reader(this.#received.subarray(LENGTH, end));
      this.#received = this.#received.subarray(end);
      this.#work = this.#work.then(() => this.#answer(request)).catch(() => this.drop());
    }
  }

  async #answer(request: Reader): Promise<void> {
    if (this.#gone.signal.aborted) return;
    const key = request.int16();
    const version = request.int16();
    const correlation = request.int32();
    request.nullableString();
    const api = apiOf(key);
    if (api === undefined) return this.drop();
    this.#context.received(api);
    if (version !== apis[api].version) {
      // Clients begin with the newest version that they know, and go by the list that they get for it.
      if (api !== "ApiVersions") return this.drop();
      return this.#send(correlation, versions(errors.unsupportedVersion));
    }

    const fault = this.#context.faults.take(api);
    if (fault?.drop === "before") return this.drop();
    if (fault?.hang) return;
    const { store, port } = this.#context;
    const context = { store, port, error: fault?.error ?? errors.none, signal: this.#gone.signal };
    const response = await handlers[api](request, context);
    if (fault?.drop === "after") return this.drop();
    if (response !== undefined) this.#send(correlation, response);
  }

  #send(correlation: number, response: Writer): void {
    const body = response.toBuffer();
    const head = Buffer.alloc(2 * LENGTH);
    head.writeInt32BE(body.length + LENGTH);
    head.writeInt32BE(correlation, LENGTH);
    this.#socket.write(Buffer.concat([head, body]));
  }
}
