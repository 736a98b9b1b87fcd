import { MultiBar, type SingleBar } from "cli-progress";
import { type Look, remainingOf, settledOf } from "./look.ts";
import { count, duration, rate } from "./wording.ts";

const FORMAT =
  "{name} {bar} {percentage}%  {done}/{all}  {rate}  ETA {left}  failed {failed}  p99 {p99}{status}";

/** One progress bar for each pipeline whose sources know their size. */
export class Bars {
  readonly #bars: MultiBar;
  readonly #byPipeline = new Map<string, SingleBar>();

  constructor(stream: NodeJS.WritableStream) {
    this.#bars = new MultiBar({
      stream,
      format: FORMAT,
      barCompleteChar: "█",
      barIncompleteChar: "░",
      barsize: 24,
      hideCursor: true,
      // Cuts the bars, not the lines above them; without it the terminal would cut both.
      linewrap: true,
      // The command has its own handlers, and drains first.
      gracefulExit: false,
      fps: 4,
      // Else a bar that has not changed is missing under a line that was written over it.
      forceRedraw: true,
    });
  }

  /** Shows progress; false if the size is not known. */
  show(look: Look): boolean {
    const { pipeline, ending, stats } = look;
    const bar = this.#byPipeline.get(pipeline);
    const remaining = remainingOf(stats);
    const done = settledOf(stats);
    // A source that is closed does not know any more.
    const known = ending === "ended" ? done : bar?.getTotal();
    const all = remaining === undefined ? known : stats.received - stats.released + remaining;
    if (all === undefined || (bar === undefined && remaining === undefined)) return false;
    const words = {
      name: pipeline,
      done: count(done),
      all: count(all),
      rate: rate(stats.rate.settled),
      left: timeLeft(all - done, stats.rate.settled),
      failed: count(stats.failed + stats.deadLettered),
      p99: duration(stats.latency.p99),
      status: ["running", "stopped"].includes(stats.status) ? "" : `  ${stats.status}`,
    };
    if (bar === undefined) {
      this.#byPipeline.set(pipeline, this.#bars.create(all, done, words));
    } else {
      bar.setTotal(all);
      bar.update(done, words);
    }
    return true;
  }

  get visible(): boolean {
    return this.#bars.isActive;
  }

  /** A line above the bars. */
  log(line: string): void {
    // What the bar had written there may reach further than the line.
    this.#bars.log(`${line}\u001b[K\n`);
  }

  /** Leaves the bars as they are, gives the cursor back and ends the redrawing. */
  stop(): void {
    if (!this.#bars.isActive) return;
    this.#bars.update();
    this.#bars.stop();
  }
}

/** By the rate shown next to it: the library's own begins with "0s", and hides stalls. */
function timeLeft(messages: number, perSecond: number): string {
  if (messages === 0) return "0 s";
  return perSecond > 0 ? duration(Math.ceil(messages / perSecond) * 1000) : "unknown";
}
