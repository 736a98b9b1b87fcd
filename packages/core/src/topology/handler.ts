import type { Message } from "../message.ts";
import type { Delivery } from "./delivery.ts";
import type { Settings } from "./settings.ts";

type User = Settings["processor"]["user"];

/** The user's handler, with what the options ask for around it and nothing else. */
export function handlerOf(user: User): (message: Message<unknown>, signal: AbortSignal) => unknown {
  if (user.prepare === undefined) {
    return (message, signal) => user.handle.call(user.self, message, signal);
  }
  return (message, signal) =>
    (message.origin as Delivery).unprepared
      ? prepareAlone(user, message, signal)
      : user.handle.call(user.self, message, signal);
}

/** What failed to be prepared with others is prepared by itself. */
async function prepareAlone(
  user: User,
  message: Message<unknown>,
  signal: AbortSignal,
): Promise<unknown> {
  await user.prepare?.call(user.self, [message], signal);
  // It may have been given up, and given back, meanwhile.
  signal.throwIfAborted();
  (message.origin as Delivery).note({ unprepared: false });
  return user.handle.call(user.self, message, signal);
}
