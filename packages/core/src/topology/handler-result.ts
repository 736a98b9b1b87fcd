import { HandlerResultError } from "../errors.ts";
import { Message, RoutedMessage } from "../message.ts";
import { describeValue } from "../options/words.ts";
import type { Delivery } from "./delivery.ts";
import { checkKey } from "./partition-key.ts";
import * as RouteState from "./route-state.ts";

type Refusal = (route: RoutedMessage) => Error | undefined;

/**
 * Where a processor's handler sent a message, by what it returned.
 * @throws HandlerResultError if it returned what it may not; whatever a look at it throws, getters and proxies for one
 */
export function routesOf(
  delivery: Delivery,
  result: unknown,
  refusal: Refusal,
): RoutedMessage | RoutedMessage[] {
  if (!Array.isArray(result)) return check(delivery, result, refusal);
  // A copy: the handler may use its array again.
  const routes = [...result].map((route) => check(delivery, route, refusal));
  if (new Set(routes).size < routes.length) {
    throw new HandlerResultError(
      "processor.handle returned the same route twice. Call message.to(…) once for each.",
    );
  }
  return routes.length === 1 ? (routes[0] as RoutedMessage) : routes;
}

function check(delivery: Delivery, route: unknown, refusal: Refusal): RoutedMessage {
  if (!(route instanceof RoutedMessage)) throw wrong(describe(route));
  if (route.origin !== delivery || route.attempt !== delivery.message?.attempt) {
    throw wrong("a route of another message");
  }
  checkKey(route.options?.key, "message.to(…, { key })");
  requireWritable(route);
  const error = refusal(route);
  if (error !== undefined) throw error;
  return route;
}

/** By writing to it: asking `Object.isFrozen` for every message costs more than the rest of this file. */
function requireWritable(route: RoutedMessage): void {
  try {
    route.state = RouteState.routed;
  } catch (cause) {
    throw new HandlerResultError(
      "processor.handle returned a frozen route. Freeze its data instead.",
      { cause },
    );
  }
}

function describe(result: unknown): string {
  return result instanceof Message ? "the message itself" : describeValue(result, true);
}

function wrong(returned: string): HandlerResultError {
  return new HandlerResultError(
    `processor.handle returned ${returned}; expected nothing, message.to(…), or an array of those.`,
  );
}
