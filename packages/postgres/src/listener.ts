import { systemClock, type Timer } from "westend";
import type { Database } from "./database.ts";

const FIRST_WAIT = 100;
const LONGEST_WAIT = 5_000;

/** Hears of messages other processes enqueue. While it cannot, sources look by themselves now and then. */
export class Listener {
  readonly #database: Database;
  readonly #channel: string;
  readonly #heard: (queue: string | undefined) => void;
  #end: (() => void) | undefined;
  #timer: Timer | undefined;
  #wait = FIRST_WAIT;
  #stopped = false;

  /** @param heard is also called after a time of deafness, in which anything may have been enqueued */
  constructor(database: Database, channel: string, heard: (queue: string | undefined) => void) {
    this.#database = database;
    this.#channel = channel;
    this.#heard = heard;
  }

  async start(): Promise<void> {
    try {
      const end = await this.#database.listen(this.#channel, this.#heard, () => this.#again());
      if (end === undefined) return;
      if (this.#stopped) return end();
      this.#end = end;
      this.#wait = FIRST_WAIT;
      this.#heard(undefined);
    } catch {
      this.#again();
    }
  }

  stop(): void {
    this.#stopped = true;
    systemClock.clearTimer(this.#timer);
    this.#end?.();
    this.#end = undefined;
  }

  #again(): void {
    this.#end = undefined;
    if (this.#stopped) return;
    this.#timer = systemClock.setTimer(() => void this.start(), this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
  }
}
