import type { DeadLetter, DeadLetterSink, FailedMessage } from "westend";
import type { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { type Delivery, describeDelivery, type Unit } from "./book.ts";
import { actionOn } from "./failing.ts";
import { PlannedError, type Scenario } from "./plan.ts";
import { after, demand } from "./promises.ts";

export interface PlannedLettersOptions {
  readonly clock: VirtualClock;
  readonly scenario: Scenario;
  called(what: "letter" | "onFailed"): void;
}

type Letter = DeadLetter<number, Delivery>;

/** What is shown and written of failures: as planned, and to be found fault with. */
export class PlannedLetters implements DeadLetterSink<number, Delivery> {
  readonly name = "planned";
  readonly #options: PlannedLettersOptions;
  #writes = 0;
  #writing = 0;

  constructor(options: PlannedLettersOptions) {
    this.#options = options;
  }

  onFailed(messages: readonly FailedMessage<number, Delivery>[]): void {
    for (const message of messages) this.#show(message);
    this.#options.called("onFailed");
  }

  write(letters: readonly Letter[], signal: AbortSignal): void | Promise<void> {
    const { clock, scenario, called } = this.#options;
    demand(letters.length > 0 && this.#writing === 0, "letters are written one write at a time");
    called("letter");
    const plan = scenario.letters?.[this.#writes++];
    const { wait, heeds, fails } = plan ?? { wait: null, heeds: true, fails: false };
    this.#writing++;
    try {
      const written = after(clock, wait, heeds ? signal : undefined, () => {
        if (fails) throw new Error("cannot be written, as planned");
        for (const letter of letters) this.#note(letter);
      });
      if (!(written instanceof Promise)) {
        this.#writing--;
        return undefined;
      }
      return written.finally(() => this.#writing--);
    } catch (error) {
      this.#writing--;
      throw error;
    }
  }

  #show({ metadata: delivery, batcher, reason }: FailedMessage<number, Delivery>): void {
    const detail = (): string => `${batcher ?? "processor"} of ${describeDelivery(delivery)}`;
    const failed = unitsOf(delivery, batcher).filter(
      ({ state, running }) => state === "open" && !running,
    );
    const unit =
      failed.find((one) => one.attempt > 0 && one.reason === reason) ??
      failed.find(({ route }) => route?.size === -1) ??
      failed.find(({ attempt }) => attempt === 0 || !(reason instanceof PlannedError));
    demand(unit !== undefined, "only what has failed, and ended, is shown as failed", detail);
    const tried = unit.attempt > 0 && unit.reason === reason;
    unit.reason = reason;
    const action = actionOn(unit, this.#options.scenario);
    demand(
      !tried || (action !== "retry" && action !== "hold"),
      "every attempt is made first",
      detail,
    );
    unit.state = "shown";
    unit.lettered = tried ? action === "deadLetter" : this.#isLettered(unit);
    if (batcher === undefined) delivery.ended = !unit.lettered;
  }

  /** It failed before it was handled, and so for good. */
  #isLettered(unit: Unit): boolean {
    return actionOn({ ...unit, attempt: Infinity }, this.#options.scenario) === "deadLetter";
  }

  #note({ metadata: delivery, batcher, reason }: Letter): void {
    const detail = (): string => `${batcher ?? "processor"} of ${describeDelivery(delivery)}`;
    const unit = unitsOf(delivery, batcher).find(
      (one) => one.state === "shown" && one.lettered && one.reason === reason,
    );
    demand(unit !== undefined, "a letter is written once, of what was shown as failed", detail);
    unit.state = "written";
    if (batcher === undefined) delivery.ended = true;
  }
}

function unitsOf({ unit, branches }: Delivery, batcher: string | undefined): readonly Unit[] {
  return batcher === undefined ? [unit] : branches.filter((one) => one.batcher === batcher);
}
