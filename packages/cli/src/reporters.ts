import { JsonReporter } from "./json-reporter.ts";
import { paintFor } from "./paint.ts";
import type { Reporter } from "./reporter.ts";
import { TerminalBars } from "./terminal-bars.ts";
import { TextReporter } from "./text-reporter.ts";

export interface ReporterChoice {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
}

/** The reporter that was asked for, on the streams of this process. */
export function reporterFor({ json, quiet, verbose, color }: ReporterChoice): Reporter {
  const { stdout, stderr } = process;
  // Whoever read the output is gone (`| head`); the pipelines go on.
  for (const stream of [stdout, stderr]) stream.on("error", () => {});
  if (json) return new JsonReporter(stdout, quiet);
  return new TextReporter({
    out: { stream: stdout, paint: paintFor(stdout, color) },
    err: { stream: stderr, paint: paintFor(stderr, color) },
    bars: stderr.isTTY && !quiet ? new TerminalBars() : undefined,
    quiet,
    verbose,
  });
}
