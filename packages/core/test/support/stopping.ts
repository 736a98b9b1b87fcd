import type { PipelineStats, RunningPipeline, StopReport } from "westend";
import type { VirtualClock } from "../../src/testing/virtual-clock.ts";

/** What the parts of a report add up to; `received`, if nothing went missing. */
export function sumOf(report: StopReport | PipelineStats): number {
  const { succeeded, failed, deadLettered, dropped, released, abandoned } = report;
  return succeeded + failed + deadLettered + dropped + released + abandoned;
}

export interface Stopped {
  readonly report: StopReport;
  /** Virtual milliseconds it took. */
  readonly took: number;
}

/** Stops a pipeline and moves the clock on until it has, or until it is certain that it hangs. */
export async function stopWithin(
  clock: VirtualClock,
  running: Pick<RunningPipeline, "stop">,
  timeout: number,
): Promise<Stopped> {
  const began = clock.now();
  let stopped: Stopped | undefined;
  void running.stop({ timeout }).then((report) => {
    stopped = { report, took: clock.now() - began };
  });
  for (let waited = 0; waited <= timeout + 2000; waited += 50) {
    await clock.advance(50);
    if (stopped !== undefined) return stopped;
  }
  throw new Error("The pipeline did not stop.");
}
