import { KafkaError } from "../errors.ts";

/** The part of \@platformatic/kafka that everything here needs. */
export interface Library {
  readonly Consumer: new (options: object) => unknown;
}

/**
 * Loads the client when a source or sink is opened, not when it is defined.
 * @throws KafkaError if it is not installed.
 */
export async function loadLibrary<Wanted = Library>(): Promise<Wanted> {
  try {
    return (await import("@platformatic/kafka")) as unknown as Wanted;
  } catch (cause) {
    throw new KafkaError(
      "KAFKA_CLIENT_MISSING",
      "@westend/kafka needs the client @platformatic/kafka, which could not be loaded. Install it beside it: npm install @platformatic/kafka",
      { cause },
    );
  }
}
