import type { Clock } from "westend";
import type { SqliteClient, SqliteStatement } from "./client.ts";
import { explain, isBusy, isOver } from "./failures.ts";
import type { Work } from "./pending-work.ts";

/** Thrown by work that has to be undone and will do otherwise when it is run again. */
export class TryAgain extends Error {}

/** What became of a group: everybody knows; each is to be tried alone; the lock was refused, so try later. */
export type Outcome = "settled" | "split" | "busy";

/** Runs groups of work, each in one transaction. */
export class Transaction {
  readonly #begin: SqliteStatement;
  readonly #commit: SqliteStatement;
  readonly #rollback: SqliteStatement;
  readonly #clock: Clock;
  readonly #patience: number;
  /** When the lock was first refused; undefined while it is not. */
  #refusedAt: number | undefined;
  #isSecondTry = false;
  /** The last one could not even be rolled back. */
  #isDirty = false;

  /** @param patience milliseconds to try for while another process holds the lock */
  constructor(client: SqliteClient, clock: Clock, patience: number) {
    this.#begin = client.prepare("BEGIN IMMEDIATE");
    this.#commit = client.prepare("COMMIT");
    this.#rollback = client.prepare("ROLLBACK");
    this.#clock = clock;
    this.#patience = patience;
  }

  /** Whether the work being run, or one that shared its transaction, has thrown {@link TryAgain} before. */
  get isSecondTry(): boolean {
    return this.#isSecondTry;
  }

  attempt(group: readonly Work[]): Outcome {
    let begun = false;
    const results: unknown[] = [];
    try {
      if (this.#isDirty) this.#rollBack();
      this.#begin.run();
      begun = true;
      for (const { run, again } of group) {
        this.#isSecondTry = again;
        results.push(run());
      }
      this.#commit.run();
    } catch (error) {
      if (begun) this.#undo();
      return this.#fail(group, error);
    }
    this.#refusedAt = undefined;
    settle(group, (work, index) => work.resolve(results[index]));
    return "settled";
  }

  #undo(): void {
    try {
      this.#rollBack();
    } catch {
      // It is tried again before the next one begins.
    }
  }

  #rollBack(): void {
    this.#isDirty = true;
    try {
      this.#rollback.run();
    } catch (error) {
      // After a full disk or an I/O error SQLite may have done so by itself.
      if (!isOver(error)) throw error;
    }
    this.#isDirty = false;
  }

  #fail(group: readonly Work[], error: unknown): Outcome {
    if (isBusy(error)) {
      if (this.#isPatient()) return "busy";
    } else if (error instanceof TryAgain || group.length > 1) {
      for (const work of group) {
        work.alone = true;
        work.again ||= error instanceof TryAgain;
      }
      return "split";
    }
    settle(group, (work) => work.reject(explain(error)));
    return "settled";
  }

  #isPatient(): boolean {
    this.#refusedAt ??= this.#clock.now();
    if (this.#clock.now() - this.#refusedAt < this.#patience) return true;
    this.#refusedAt = undefined;
    return false;
  }
}

function settle(group: readonly Work[], how: (work: Work, index: number) => void): void {
  for (const [index, work] of group.entries()) {
    work.settled = true;
    how(work, index);
  }
}
