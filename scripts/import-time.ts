import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** Prints how long `import "westend"` takes, the median of fresh processes; the bar is 20 ms (benchmarks have the rest). */

const RUNS = 15;
const entry = join(import.meta.dirname, "../packages/core/dist/index.js");
const program = `
  const started = performance.now();
  await import(process.argv[1]);
  console.log(performance.now() - started);
`;

const times = Array.from({ length: RUNS }, () => {
  const args = ["--input-type=module", "--eval", program, entry];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`cannot import ${entry}; built?\n${stderr}`);
  return Number(stdout);
}).toSorted((a, b) => a - b);

const median = times[Math.floor(RUNS / 2)] as number;
console.log(
  `import "westend": ${median.toFixed(1)} ms (median of ${RUNS}, Node ${process.version})`,
);
