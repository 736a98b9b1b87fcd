import { retry, type RetryOptions, type StopReport } from "westend";
import { type VirtualClock, virtualClock } from "../../src/testing/virtual-clock.ts";
import { given, type GivenSource } from "./given-source.ts";
import { LetterBox } from "./letter-box.ts";
import { runTopology } from "./topology-run.ts";

const unlimited = { ratio: 1000, perSecond: 1e9 };

export interface Tried {
  readonly clock: VirtualClock;
  /** When each attempt began. */
  readonly at: number[];
  readonly attempts: number[];
  readonly producer: GivenSource<string>;
  readonly deadLetter: LetterBox<string>;
  readonly report: StopReport;
}

/** Runs one message whose handler fails its first attempts. */
export async function tried(
  options: RetryOptions,
  {
    failures = Infinity,
    error = new Error("no"),
    random = () => 0.5,
  }: { failures?: number; error?: unknown; random?: () => number } = {},
): Promise<Tried> {
  const clock = virtualClock();
  const at: number[] = [];
  const attempts: number[] = [];
  const producer = given(["message"]);
  const deadLetter = new LetterBox<string>();
  const report = await runTopology(
    {
      producer,
      deadLetter,
      processor: {
        retry: retry({ budget: unlimited, ...options }),
        handle({ attempt }) {
          at.push(clock.now());
          attempts.push(attempt);
          if (at.length <= failures) throw error;
        },
      },
    },
    { clock, random },
  );
  return { clock, at, attempts, producer, deadLetter, report };
}
