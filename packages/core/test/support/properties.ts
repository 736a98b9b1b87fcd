import fc, { type Arbitrary } from "fast-check";

/** Runs of each property; CI has little time, a night has much. */
const RUNS = Number(process.env["WESTEND_PROPERTY_RUNS"] ?? 0);
/** The part of its runs that each property is given otherwise. */
const SHARE = Number(process.env["WESTEND_PROPERTY_SHARE"] ?? 1);
const SEED = process.env["WESTEND_PROPERTY_SEED"];
const PATH = process.env["WESTEND_PROPERTY_PATH"];

/** Plays whatever the arbitrary gives; a failure says how to replay it. */
export async function holdsFor<Value>(
  arbitrary: Arbitrary<Value>,
  play: (value: Value) => Promise<void>,
  runs: number,
): Promise<void> {
  const result = await fc.check(fc.asyncProperty(arbitrary, play), {
    numRuns: RUNS > 0 ? RUNS : Math.ceil(runs * SHARE),
    ...(SEED !== undefined && { seed: Number(SEED) }),
    ...(PATH !== undefined && { path: PATH }),
  });
  if (!result.failed) return;
  const { seed, counterexamplePath, counterexample, errorInstance, numShrinks } = result;
  const cause = errorInstance as Error | undefined;
  throw new Error(
    [
      cause?.message ?? "It failed.",
      `Replay: WESTEND_PROPERTY_SEED=${seed} WESTEND_PROPERTY_PATH=${counterexamplePath}`,
      `After ${numShrinks} shrinks: ${JSON.stringify(counterexample?.[0])}`,
    ].join("\n"),
  );
}
