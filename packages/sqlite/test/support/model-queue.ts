import type { LeasedMessage } from "@westend/sqlite";

interface ModelMessage {
  readonly id: string;
  attempts: number;
  state: "ready" | "leased" | "delayed";
  due: number;
  token: number;
}

/** What the queue is to be, for messages without keys, as simply as it can be said. */
export class ModelQueue {
  #messages: ModelMessage[] = [];
  #now = 0;

  pass(milliseconds: number): void {
    this.#now += milliseconds;
  }

  enqueue(ids: readonly string[], delay: number): void {
    for (const id of ids) {
      const state = delay > 0 ? "delayed" : "ready";
      this.#messages.push({ id, attempts: 0, state, due: this.#now + delay, token: 0 });
    }
  }

  lease(limit: number, duration: number, token: number): { id: string; attempts: number }[] {
    const ready = this.#messages.filter(({ state, due }) => state === "ready" || due <= this.#now);
    return ready.slice(0, limit).map((message) => {
      message.attempts += 1;
      Object.assign(message, { state: "leased", due: this.#now + duration, token });
      return { id: message.id, attempts: message.attempts };
    });
  }

  /** Ids of the messages that were not ours any more. */
  end(
    how: "acknowledge" | "release" | "retry" | "extend",
    leased: readonly LeasedMessage[],
    milliseconds: number,
  ): string[] {
    const lost: string[] = [];
    for (const { metadata, token } of leased) {
      const message = this.#messages.find(({ id }) => id === metadata.id);
      if (message === undefined || message.token !== token) {
        lost.push(metadata.id);
        continue;
      }
      if (how === "acknowledge") {
        this.#messages = this.#messages.filter((other) => other !== message);
      } else if (how === "extend") {
        Object.assign(message, { state: "leased", due: this.#now + milliseconds });
      } else if (how === "retry") {
        Object.assign(message, { state: "delayed", due: this.#now + milliseconds, token: 0 });
      } else {
        message.attempts -= 1;
        Object.assign(message, { state: "ready", token: 0 });
      }
    }
    return lost;
  }

  counts(): { ready: number; leased: number; delayed: number } {
    const counts = { ready: 0, leased: 0, delayed: 0 };
    for (const { state, due } of this.#messages) {
      counts[state !== "ready" && due <= this.#now ? "ready" : state] += 1;
    }
    return counts;
  }
}
