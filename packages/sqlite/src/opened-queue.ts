import { letterHead } from "westend/connector";
import type { Connection } from "./connection.ts";
import { buryMessage } from "./dead-letter-table.ts";
import { KeyOrder } from "./key-order.ts";
import { anyDue, lease, type MessageRow } from "./lease.ts";
import { LeasedMessage } from "./leased-message.ts";
import { decodePayload } from "./payload.ts";
import { DELAYED, HELD, PARKED, READY } from "./schema.ts";
import { Settlement } from "./settle.ts";
import type { Owner } from "./token.ts";

const IN_STATE = (state: number): string =>
  `SELECT 1 FROM westend_message WHERE queue = ? AND state = ${state}`;
const ANY = [READY, HELD, PARKED, DELAYED]
  .map((state) => `EXISTS (${IN_STATE(state)})`)
  .join(" OR ");
const EMPTY = `SELECT NOT (${ANY}) AS empty`;

export interface LeaseRequest {
  readonly limit: number;
  readonly bytes: number;
  readonly owner: Owner;
  /** Milliseconds. */
  readonly duration: number;
  readonly signal?: AbortSignal | undefined;
}

/** A queue whose file is open: what the public queue, the producer and the sinks share. */
export class OpenedQueue {
  readonly connection: Connection;
  readonly name: string;
  /** Its number in the file. */
  readonly number: number;
  readonly settlement: Settlement;
  readonly #keys: KeyOrder;
  readonly #listeners = new Set<() => void>();

  constructor(connection: Connection, name: string, number: number) {
    this.connection = connection;
    this.name = name;
    this.number = number;
    this.#keys = new KeyOrder(connection, number);
    this.settlement = new Settlement(connection, this.#keys);
  }

  get now(): number {
    return Math.round(this.connection.clock.date());
  }

  /** Calls back when messages may have become ready through this connection; returns how to stop that. */
  onReady(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Says that messages may have become ready. */
  enqueued(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Whether a lease could bring anything; asks without taking the lock. */
  anyDue(): boolean {
    return this.connection.read(() => anyDue(this.connection, this.number, this.now));
  }

  /** Whether there is no message at all, not even one that is leased or delayed. */
  isEmpty(): boolean {
    const { connection, number } = this;
    const row = connection.read(() =>
      connection.prepare(EMPTY).get(number, number, number, number),
    );
    return (row as { empty: number }).empty === 1;
  }

  async lease(request: LeaseRequest): Promise<LeasedMessage[]> {
    const { limit, bytes, owner, duration, signal } = request;
    const token = await owner.next(this.connection, signal);
    const work = (): LeasedMessage[] => {
      const now = this.now;
      const terms = { limit, bytes, owner, token, now, until: now + Math.ceil(duration) };
      const rows = lease(this.connection, this.number, this.#keys, terms);
      return this.#sound(rows, token, now);
    };
    // It weighs nothing, so that what is waiting can share its transaction.
    return this.connection.write(work, { weight: 0, urgent: true, signal });
  }

  /** Leases as messages; those whose payload is damaged become dead letters instead. */
  #sound(rows: readonly MessageRow[], token: number, now: number): LeasedMessage[] {
    const { file } = this.connection;
    const origin = { file, queue: this.name, now };
    const messages: LeasedMessage[] = [];
    for (const row of rows) {
      const payload = decodePayload(row[5], row[4]);
      const message = new LeasedMessage(row, payload ?? "", token, origin);
      if (payload !== undefined) messages.push(message);
      else this.bury(message, { pipeline: "", source: this.name }, new DamagedPayload());
    }
    return messages;
  }

  /** Makes a dead letter of a leased message; call it in a transaction. False if the lease is no longer ours. */
  bury(
    message: LeasedMessage,
    from: { readonly pipeline: string; readonly source: string },
    reason: unknown,
  ): boolean {
    const head = letterHead({
      ...from,
      payload: message.payload,
      metadata: message.metadata,
      key: message.key,
      reason,
      attempts: message.attempt,
      batcher: undefined,
      receivedAt: message.leasedAt,
      failedAt: this.now,
    });
    buryMessage(this.connection, head, message);
    return this.settlement.remove([message]).length === 0;
  }
}

class DamagedPayload extends Error {
  override readonly name = "DamagedPayload";
  constructor() {
    super("The stored payload is not what was enqueued: its checksum does not fit");
  }
}
