import type { RunningPipeline } from "westend";
import type { Startable } from "./load.ts";
import type { Ending, Look } from "./look.ts";
import { Progress, whereabouts } from "./progress.ts";
import type { Reporter } from "./reporter.ts";

/** One pipeline from its start to its end. */
export class Lane {
  readonly name: string;
  readonly #pipeline: Startable;
  readonly #controller = new AbortController();
  readonly #began: number = performance.now();
  #elapsed: number | undefined;
  #running: RunningPipeline | undefined;
  #ending: Ending = "running";
  #asked = false;
  #progress: Progress;

  constructor(pipeline: Startable) {
    this.name = pipeline.name;
    this.#pipeline = pipeline;
    this.#progress = new Progress(this.#began);
  }

  /** Starts it and resolves when it has ended; rejects with what kept it from starting or killed it. */
  async run(started: (name: string) => void): Promise<void> {
    const asked = (): boolean => this.#asked;
    try {
      this.#running = await this.#pipeline.start({ signal: this.#controller.signal });
      this.#progress = new Progress(performance.now());
      if (!asked()) started(this.name);
      await this.#running.done;
      this.#end(asked() ? "drained" : "ended");
    } catch (error) {
      // One that was asked to end before it had begun has done as it was told.
      const obeyed = asked() && this.#running === undefined;
      this.#end(obeyed ? "drained" : "died");
      if (!obeyed) throw error;
    }
  }

  /** Asks it to end in order; without a timeout by the pipeline's own deadline. */
  drain(timeout: number | undefined): void {
    if (this.#ending !== "running" || this.#asked) return;
    this.#asked = true;
    if (this.#running === undefined) this.#controller.abort();
    // What it rejects with, done rejects with, too.
    else this.#running.stop(timeout === undefined ? {} : { timeout }).catch(() => {});
  }

  /** Undefined if it has never run. */
  look(): Look | undefined {
    if (this.#running === undefined) return undefined;
    return {
      pipeline: this.name,
      ending: this.#ending,
      elapsed: this.#elapsed ?? performance.now() - this.#began,
      stats: this.#running.stats(),
    };
  }

  /** Says so when it is time to: that it does not get on, or does not even begin. */
  remind(reporter: Pick<Reporter, "standing" | "opening">, now: number): void {
    if (this.#ending !== "running") return;
    if (this.#running === undefined) {
      const opening = this.#progress.standing(now);
      if (opening !== undefined) reporter.opening(this.name, opening);
      return;
    }
    const stats = this.#running.stats();
    const standing = this.#progress.standingOf(stats, now);
    if (standing !== undefined) reporter.standing(this.name, standing, whereabouts(stats));
  }

  #end(ending: Ending): void {
    this.#ending = ending;
    this.#elapsed = performance.now() - this.#began;
  }
}
