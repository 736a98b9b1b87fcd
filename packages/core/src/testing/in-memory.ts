import type { DeadLetter, FailedMessage } from "../failure.ts";
import type { Awaitable } from "../producer.ts";
import type { Settings } from "../topology/settings.ts";
import type { Activity } from "./activity.ts";

export type BatchHandler = Settings["batchers"][string]["handle"];

export interface InMemoryOptions {
  readonly activity: Activity;
  /** In place of the definition's own. */
  handlerOf(batcher: string): BatchHandler | undefined;
  /** A batcher's handler is about to be called. */
  batch(batcher: string, data: unknown[]): void;
  failed(messages: readonly FailedMessage[]): void;
  write(letters: readonly DeadLetter[], signal: AbortSignal): Awaitable<void>;
}

/** A definition as it is, but for its ends: no sources, no dead-letter sink, and every call of user code is noticed. */
export function inMemory(settings: Settings, options: InMemoryOptions): Settings {
  const { batchers, decoder, onFailed, deadLetter } = settings;
  const { activity, batch, handlerOf, failed, write } = options;
  return {
    ...settings,
    sources: [],
    decoder: decoder && {
      name: decoder.name,
      decode: (payload) => activity.track(() => decoder.decode(payload)),
    },
    processor: processorOf(settings, activity),
    batchers: Object.fromEntries(
      Object.entries(batchers).map(([name, batcher]) => {
        const handle = handlerOf(name) ?? batcher.handle;
        const noticed: BatchHandler = (messages, info, signal) => {
          batch(
            name,
            messages.map(({ data }) => data),
          );
          return activity.track(() => handle(messages, info, signal), signal);
        };
        return [name, { ...batcher, handle: noticed }];
      }),
    ),
    onFailed: (messages) => {
      failed(messages);
      return activity.track(() => onFailed?.(messages));
    },
    deadLetter: deadLetter && {
      name: deadLetter.name,
      write: (letters, signal) => activity.track(() => write(letters, signal), signal),
    },
  };
}

function processorOf({ processor }: Settings, activity: Activity): Settings["processor"] {
  const { user } = processor;
  return {
    ...processor,
    user: {
      ...user,
      prepare:
        user.prepare &&
        ((messages, signal) =>
          activity.track(() => user.prepare?.call(user.self, messages, signal), signal)),
      handle: (message, signal) =>
        activity.track(() => user.handle.call(user.self, message, signal), signal),
    },
  };
}
