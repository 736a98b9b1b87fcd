import { systemClock } from "westend";
import {
  execute,
  type PgliteClient,
  type PostgresClient,
  type PostgresConnection,
  type PostgresPool,
  type PostgresTarget,
  type PostgresTransaction,
  type QueryResult,
  type Statement,
} from "./client.ts";
import { ConnectionTimeout } from "./failures.ts";
import { quote } from "./quote.ts";
import { isDisconnect, isSpent, StatementTimeout } from "./retryable.ts";

/** Milliseconds a statement may take unless options say otherwise. */
export const TIMEOUT = 10_000;

/** Runs a statement. */
export type Run = (statement: Statement) => Promise<QueryResult>;

/** A connection that is ours for a while. */
export interface Session {
  /** What the user's own statements are made on. */
  readonly client: PostgresTransaction;
  /** @throws StatementTimeout if the server does not answer; nothing else can be done with the session then. */
  readonly query: Run;
  /** Awaits the user's own work on `client`, for as long as one statement may take. */
  bounded<Result>(work: PromiseLike<Result>): Promise<Result>;
  /** Closes the connection: nobody knows any more what state it is in. */
  giveUp(): void;
  /** Whether it has not been given up. */
  readonly isOpen: boolean;
}

type Work<Result> = (session: Session) => Promise<Result>;

/** What differs between a pool, a single connection and PGlite. */
export class Database {
  readonly #target: PostgresTarget;
  readonly #timeout: number;

  /** @param timeout milliseconds a statement may take; always of real time, for it is a network that is waited for */
  constructor(target: PostgresTarget, timeout: number = TIMEOUT) {
    this.#target = target;
    this.#timeout = timeout;
    if (isPool(target)) keepAlive(target);
    else if (!isPglite(target)) hearErrors(target);
  }

  /** Runs one statement, on any connection. */
  query(statement: Statement): Promise<QueryResult> {
    return this.use((session) => session.query(statement));
  }

  /** Takes a connection, outside any transaction. */
  use<Result>(work: Work<Result>): Promise<Result> {
    const target = this.#target;
    if (isPool(target)) return this.#pooled(target, work);
    if (isPglite(target)) return work(this.#session(target));
    return inTurn(target, () => work(this.#session(target, () => void close(target))));
  }

  /** Runs work in a transaction: committed if it resolves, rolled back if it rejects. */
  async transaction<Result>(work: Work<Result>): Promise<Result> {
    const target = this.#target;
    if (!isPglite(target)) return this.use((session) => this.#commit(session, work));
    return target.transaction(async (tx) => {
      const session = this.#session(tx);
      const done = await work(session);
      // Refused in a transaction that has failed, which PGlite's own commit would roll back in silence.
      await session.query({ text: "select 1" });
      return done;
    });
  }

  async #commit<Result>(session: Session, work: Work<Result>): Promise<Result> {
    await session.query({ text: "begin" });
    let result: Result;
    try {
      result = await work(session);
    } catch (error) {
      // What is left open would be committed with what is done next on the connection.
      if (session.isOpen) await session.query({ text: "rollback" }).catch(() => session.giveUp());
      throw error;
    }
    const { command } = (await session.query({ text: "commit" })) as { readonly command?: unknown };
    // Commit of a transaction in which a statement has failed: the server rolls back, and does not call it an error.
    if (command === "ROLLBACK") throw new SwallowedError();
    return result;
  }

  async #pooled<Result>(pool: PostgresPool, work: Work<Result>): Promise<Result> {
    const connection = await this.#connect(pool);
    let loss: Error | undefined;
    const heard = (error: Error): void => void (loss ??= error);
    connection.on("error", heard);
    const session = this.#session(connection);
    try {
      return await work(session);
    } catch (error) {
      if (isSpent(error)) session.giveUp();
      // Of a connection that was lost between two statements the next one only says that it is.
      const isLoss = loss !== undefined && error !== loss && isDisconnect(error);
      if (isLoss && error instanceof Error) error.cause ??= loss;
      throw error;
    } finally {
      connection.removeListener("error", heard);
      if (!session.isOpen) connection.on("error", ignore);
      connection.release(!session.isOpen);
    }
  }

  /** Undefined where there is no pool, and so no connection to spare. */
  get pool(): PostgresPool | undefined {
    return isPool(this.#target) ? this.#target : undefined;
  }

  /**
   * Hears notifications on a connection of the pool's, until the function it resolves with is called. If it rejects nothing is heard.
   * @param lost called if the connection is lost after that, when it has been given back
   */
  async listen(
    pool: PostgresPool,
    channel: string,
    heard: (payload: string | undefined) => void,
    lost: () => void,
  ): Promise<() => void> {
    const connection = await this.#connect(pool);
    let state: "starting" | "open" | "ended" = "starting";
    const isEnded = (): boolean => state === "ended";
    const end = (): void => {
      if (isEnded()) return;
      state = "ended";
      connection.on("error", ignore);
      connection.release(true);
    };
    const failed = (): void => {
      const wasOpen = state === "open";
      end();
      if (wasOpen) lost();
    };
    connection.on("error", failed);
    connection.on("end", failed);
    connection.on("notification", ({ payload }) => heard(payload));
    try {
      await this.#session(connection).query({ text: `listen ${quote(channel)}` });
    } catch (error) {
      end();
      throw error;
    }
    // It may have been lost in the same breath as it answered.
    if (isEnded()) throw new Error("Connection terminated");
    state = "open";
    return end;
  }

  #connect(pool: PostgresPool): Promise<PostgresConnection> {
    const connecting = pool.connect();
    return this.#within(connecting, () => {
      // It may still come, with nobody to use it.
      connecting.then((connection) => connection.release(), ignore);
      return new ConnectionTimeout(`${this.#timeout} ms`);
    });
  }

  /** @param close closes the connection at once; one of a pool is closed when it is given back */
  #session(client: PostgresTransaction, close: () => void = ignore): Session {
    let isOpen = true;
    const giveUp = (): void => {
      if (isOpen) close();
      isOpen = false;
    };
    const bounded = <Result>(work: PromiseLike<Result>): Promise<Result> =>
      this.#within(work, () => {
        giveUp();
        return new StatementTimeout(this.#timeout);
      });
    return {
      client,
      bounded,
      giveUp,
      get isOpen() {
        return isOpen;
      },
      query: (statement) => bounded(execute(client, statement)),
    };
  }

  /** @param late called if the time is up; gives the error to reject with */
  #within<Result>(work: PromiseLike<Result>, late: () => Error): Promise<Result> {
    return new Promise((resolve, reject) => {
      const timer = systemClock.setTimer(() => reject(late()), this.#timeout);
      work.then(
        (result) => {
          systemClock.clearTimer(timer);
          resolve(result);
        },
        (error: Error) => {
          systemClock.clearTimer(timer);
          reject(error);
        },
      );
    });
  }
}

function isPool(target: PostgresTarget): target is PostgresPool {
  return "totalCount" in target;
}

function isPglite(target: PostgresTarget): target is PgliteClient {
  return "transaction" in target;
}

const ignore = (): void => undefined;
const kept = new WeakSet<PostgresTarget>();

/**
 * A pool whose idle connection is lost emits an error that ends the process if nobody listens. The next statement tells. So does a new
 * connection that is lost in the moment between the pool's handing it over and our having it: a server that was killed says so at once.
 */
function keepAlive(pool: PostgresPool): void {
  if (kept.has(pool)) return;
  kept.add(pool);
  pool.on("error", ignore);
  pool.on("connect", (connection) => void connection.on("error", ignore));
}

/** The same of a single connection. */
function hearErrors(client: PostgresClient): void {
  if (kept.has(client)) return;
  kept.add(client);
  client.on?.("error", ignore);
}

/** Single connections that were given up: a transaction may be open on them. */
const lost = new WeakSet<PostgresClient>();

/** What runs on a single connection fails at once from now on: it stays lost, even if we have no way to close it. */
async function close(client: PostgresClient): Promise<void> {
  lost.add(client);
  try {
    await client.end?.();
  } catch {
    // It is not there any more.
  }
}

const queues = new WeakMap<PostgresClient, Promise<unknown>>();

/** A single connection can have one transaction at a time. */
function inTurn<Result>(client: PostgresClient, work: () => Promise<Result>): Promise<Result> {
  const turn = (queues.get(client) ?? Promise.resolve()).then(() => {
    if (lost.has(client))
      throw new Error("Connection closed: an earlier answer did not come in time");
    return work();
  });
  queues.set(client, turn.catch(ignore));
  return turn;
}

class SwallowedError extends Error {
  override readonly name = "SwallowedError";
  constructor() {
    super(
      "The transaction was rolled back: one of its statements had failed, and the error was caught. Let it be thrown",
    );
  }
}
