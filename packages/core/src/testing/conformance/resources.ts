import { AsyncLocalStorage, createHook } from "node:async_hooks";

/** A timer, a socket, a child process: it keeps the process alive while this says true. */
interface Resource {
  hasRef(): boolean;
  /** A timer that has fired goes on saying that it keeps the process alive; this says that it does not. */
  readonly _destroyed?: boolean;
}

const context = new AsyncLocalStorage<Resources>();

/** What is opened in a call, told apart from what others in the process open and close meanwhile. */
export class Resources {
  readonly #opened = new Map<Resource, string>();

  async during(call: () => Promise<void>): Promise<void> {
    const hook = createHook({
      init: (_id, type, _trigger, resource) => {
        if (context.getStore() !== this || !("hasRef" in resource)) return;
        this.#opened.set(resource as Resource, type);
      },
    }).enable();
    try {
      await context.run(this, call);
    } finally {
      hook.disable();
    }
  }

  /** Of which kind those are that are still open. */
  left(): string[] {
    const left = [...this.#opened].filter(
      ([resource]) => resource.hasRef() && resource._destroyed !== true,
    );
    return [...new Set(left.map(([, type]) => type))];
  }
}
