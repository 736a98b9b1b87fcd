import { announceDrains } from "./announce-drains.ts";
import { ExitCode } from "./exit.ts";
import { Lane } from "./lane.ts";
import type { Startable } from "./load.ts";
import type { Look } from "./look.ts";
import type { Account, Reporter } from "./reporter.ts";
import { onSignals } from "./signals.ts";
import { TroubleTally } from "./trouble-tally.ts";
import { onUncaught } from "./uncaught.ts";

/** Milliseconds between two summaries. */
const SECOND = 1000;

export interface RunOptions {
  readonly reporter: Reporter;
  /** Milliseconds a drain may take, in place of each pipeline's own deadline. */
  readonly timeout: number | undefined;
}

/** Runs pipelines side by side until all have ended; if one dies the others are drained. Gives the exit code. */
export async function runPipelines(
  pipelines: readonly Startable[],
  { reporter, timeout }: RunOptions,
): Promise<number> {
  const lanes = pipelines.map((pipeline) => new Lane(pipeline));
  const troubles = new TroubleTally();
  const looks = (): Look[] => lanes.map((lane) => lane.look()).filter((look) => look !== undefined);
  let draining = false;
  const drain = (): void => {
    draining = true;
    for (const lane of lanes) lane.drain(timeout);
  };
  let died = false;

  const release: (() => void)[] = [
    () => troubles.close(),
    announceDrains(reporter, () => draining),
  ];
  const gaveUp = new Promise<number>((resolve) => {
    const first = (signal: NodeJS.Signals): void => {
      reporter.asked(signal);
      drain();
    };
    const uncaught = (error: unknown): void => {
      // The state of everything is unknown: what is not acknowledged comes again.
      reporter.died(undefined, error);
      resolve(ExitCode.died);
    };
    release.push(onSignals({ first, second: resolve }), onUncaught(uncaught));
  });
  // It also keeps the process alive, should no source do so.
  const ticker = setInterval(() => {
    reporter.tick(looks(), troubles.next());
    for (const lane of lanes) lane.remind(reporter, performance.now());
  }, SECOND);
  release.push(() => clearInterval(ticker));

  const over = async (lane: Lane): Promise<void> => {
    try {
      await lane.run((name) => reporter.started(name));
    } catch (error) {
      died = true;
      reporter.died(lane.name, error);
      drain();
    }
  };
  const ended = Promise.all(lanes.map(over)).then(() => {
    const clean = !died && looks().every(({ stats }) => stats.abandoned === 0);
    return clean ? ExitCode.done : ExitCode.died;
  });
  const code = await Promise.race([ended, gaveUp]);
  for (const undo of release) undo();
  reporter.ended(looks().map((look) => accountOf(look, troubles)));
  return code;
}

function accountOf(look: Look, troubles: TroubleTally): Account {
  const ending = look.ending === "running" ? "given up" : look.ending;
  return { look: { ...look, ending }, troubles: troubles.of(look.pipeline) };
}
