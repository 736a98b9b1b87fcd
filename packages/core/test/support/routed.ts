import type { RouteOptions, RoutedMessage } from "../../src/message.ts";
import { Message } from "../../src/message.ts";
import { Account } from "../../src/topology/account.ts";
import type { Delivery } from "../../src/topology/delivery.ts";
import { Ledger } from "../../src/topology/ledger.ts";

/** An account nobody acknowledges. */
export function account(source = "source"): Account {
  return new Account(source, () => Promise.resolve());
}

/** A message of a ledger of its own, as a source hands it over. */
export function received(
  payload: unknown,
  { ledger = new Ledger(), to = account(), size = 0 } = {},
): Delivery {
  const arrival = ledger.arrive(to, 0, 0, 1);
  arrival.take(
    [{ payload, metadata: {} }],
    Infinity,
    () => size,
    () => {},
  );
  ledger.receive(arrival);
  return arrival.deliveries[0] as Delivery;
}

/** One message on its way to the batcher "b". */
export function routed(data: unknown, options?: RouteOptions): RoutedMessage {
  const message = new Message(data, 1, received(data));
  return message.to("b", data, options) as unknown as RoutedMessage;
}
