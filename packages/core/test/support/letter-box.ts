import type { DeadLetter, DeadLetterSink } from "westend";

/** A dead-letter sink that keeps what it is given. */
export class LetterBox<Payload = unknown> implements DeadLetterSink<Payload, undefined> {
  readonly name: string = "letters";
  readonly letters: DeadLetter<Payload, undefined>[] = [];
  /** Payloads of every write that was tried. */
  readonly writes: Payload[][] = [];
  readonly #refuse: (payloads: readonly Payload[], write: number) => boolean;

  /** Throws at writes it is to refuse; `write` counts them, from 1. */
  constructor(refuse: (payloads: readonly Payload[], write: number) => boolean = () => false) {
    this.#refuse = refuse;
  }

  get payloads(): Payload[] {
    return this.letters.map(({ payload }) => payload);
  }

  async write(letters: readonly DeadLetter<Payload, undefined>[]): Promise<void> {
    const payloads = letters.map(({ payload }) => payload);
    this.writes.push(payloads);
    if (this.#refuse(payloads, this.writes.length)) throw new Error("The sink is down.");
    this.letters.push(...letters);
  }
}
