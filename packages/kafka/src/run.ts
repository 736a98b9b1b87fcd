import type { ProducerContext } from "westend";
import type { KafkaError } from "./errors.ts";

/** What the sessions of one run of a pipeline have in common, those that were opened anew after a failure too. */
export class Run {
  /** Partitions, by name, that have begun in this run. */
  readonly begun: Set<string> = new Set();
  readonly #newest = new Map<number, ProducerContext>();
  #fence: KafkaError | undefined;

  /**
   * A session is about to be opened, in place of the one before.
   * @throws KafkaError if another process has taken our name: to take it back would begin a quarrel without end.
   */
  open(context: ProducerContext): void {
    if (this.#fence !== undefined) throw this.#fence;
    this.#newest.set(context.index, context);
  }

  /** Another session was opened in place of this one. */
  isReplaced(context: ProducerContext): boolean {
    return (this.#newest.get(context.index) ?? context) !== context;
  }

  /** Somebody has come with the name of this session; it may be the one that was opened in its place. */
  fenced(context: ProducerContext, error: KafkaError): void {
    if (!this.isReplaced(context)) this.#fence = error;
  }
}
