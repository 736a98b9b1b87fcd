import { Bars } from "./bars.ts";
import { divertOutput } from "./divert-output.ts";
import type { Look } from "./look.ts";

/** Bars on this process's terminal. While they are visible, what handlers print is shown above them, not in their midst. */
export class TerminalBars extends Bars {
  readonly #restore: (() => void)[] = [];
  readonly #exiting = (): void => this.stop();

  constructor() {
    super(undiverted(process.stderr));
  }

  override show(look: Look): boolean {
    const shown = super.show(look);
    if (shown && this.#restore.length === 0) {
      for (const stream of [process.stdout, process.stderr]) {
        if (stream.isTTY) this.#restore.push(divertOutput(stream, (line) => this.log(line)));
      }
      // A handler may call process.exit: the cursor must come back even so.
      process.once("exit", this.#exiting);
    }
    return shown;
  }

  override stop(): void {
    for (const restore of this.#restore.splice(0)) restore();
    process.off("exit", this.#exiting);
    super.stop();
  }
}

/** The stream with the `write` it has now. */
function undiverted(stream: NodeJS.WriteStream): NodeJS.WritableStream {
  const write = stream.write.bind(stream);
  return new Proxy(stream, {
    get: (target, name) => (name === "write" ? write : Reflect.get(target, name, target)),
  });
}
