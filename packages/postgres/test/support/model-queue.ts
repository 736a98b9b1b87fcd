type State = "ready" | "held" | "delayed";

interface ModelMessage {
  readonly place: number;
  readonly payload: string;
  readonly key: string | undefined;
  attempts: number;
  state: State;
  due: number;
  /** Which consumer has it, and by which of its leases; undefined while none has. */
  owner: number | undefined;
  lease: number | undefined;
}

/** What is said of a message that was handed out. */
export interface ModelLease {
  readonly payload: string;
  readonly attempts: number;
}

/** What the queue is to be, as simply as it can be said: a list, and a time that is told. */
export class ModelQueue {
  readonly letters: { readonly payload: string; readonly key: string | undefined }[] = [];
  #messages: ModelMessage[] = [];
  #now = 0;
  #places = 0;

  pass(milliseconds: number): void {
    this.#now += milliseconds;
  }

  enqueue(payload: string, key: string | undefined, delay: number): void {
    this.#messages.push({
      place: this.#places++,
      payload,
      key,
      attempts: 0,
      state: delay > 0 ? "delayed" : "ready",
      due: this.#now + delay,
      owner: undefined,
      lease: undefined,
    });
  }

  lease(owner: number, lease: number, limit: number, duration: number): ModelLease[] {
    for (const message of this.#messages) if (this.#isDue(message)) message.state = "ready";
    const free = this.#messages.filter(
      (message) => message.state === "ready" && !this.#isBlocked(message, owner),
    );
    return free.slice(0, limit).map((message) => {
      message.attempts += 1;
      Object.assign(message, { state: "held", due: this.#now + duration, owner, lease });
      return { payload: message.payload, attempts: message.attempts };
    });
  }

  #isDue({ state, due }: ModelMessage): boolean {
    return state !== "ready" && due <= this.#now;
  }

  /** Behind one that failed, or of a key of which somebody else has any. */
  #isBlocked({ key, place }: ModelMessage, owner: number): boolean {
    if (key === undefined) return false;
    return this.#messages.some(
      (other) =>
        other.key === key &&
        other.state === "held" &&
        other.owner !== owner &&
        (other.place < place || other.lease !== undefined),
    );
  }

  /** False if the message is not theirs any more. */
  end(
    how: "acknowledge" | "bury" | "retry" | "release" | "extend",
    payload: string,
    lease: number,
    milliseconds: number,
  ): boolean {
    const message = this.#messages.find((each) => each.payload === payload);
    if (message?.lease !== lease) return false;
    const nobody = { owner: undefined, lease: undefined };
    const due = this.#now + milliseconds;
    if (how === "extend") Object.assign(message, { state: "held", due });
    else if (how === "retry") Object.assign(message, { state: "held", due, ...nobody });
    else if (how === "release") {
      message.attempts -= 1;
      Object.assign(message, { state: "ready", ...nobody });
    } else {
      this.#messages = this.#messages.filter((each) => each !== message);
      if (how === "bury") this.letters.push({ payload, key: message.key });
    }
    return true;
  }

  /** Puts the oldest letters back. */
  redrive(limit: number): number {
    const moved = this.letters.splice(0, limit);
    for (const { payload, key } of moved) this.enqueue(payload, key, 0);
    return moved.length;
  }

  counts(): { ready: number; leased: number; delayed: number; dead: number } {
    const counts = { ready: 0, leased: 0, delayed: 0, dead: this.letters.length };
    for (const message of this.#messages) {
      if (message.state === "ready" || this.#isDue(message)) counts.ready += 1;
      else if (message.lease === undefined) counts.delayed += 1;
      else counts.leased += 1;
    }
    return counts;
  }
}
