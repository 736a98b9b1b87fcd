import type { ClientConnection } from "../connection.ts";
import { NoAnswerError } from "./within.ts";

/**
 * Tries with one broker after the other at the head of the list, until somebody answers: the client asks the first that takes a
 * connection, and one that hangs takes connections too.
 */
export async function withEachFirst<Value>(
  connection: ClientConnection,
  attempt: (connection: ClientConnection) => Promise<Value>,
): Promise<Value> {
  const brokers = connection.bootstrapBrokers;
  let unanswered: unknown;
  for (let first = 0; first < brokers.length; first++) {
    const bootstrapBrokers = [...brokers.slice(first), ...brokers.slice(0, first)];
    try {
      return await attempt({ ...connection, bootstrapBrokers });
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      unanswered = error;
    }
  }
  throw unanswered;
}
