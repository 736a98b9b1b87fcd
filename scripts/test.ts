import { checks, run, summary } from "./steps.ts";

const count = await run([
  ...checks,
  [{ script: "types:matrix" }],
  [{ script: "system", vitest: true, live: true }],
  [{ script: "mutations", live: true }],
]);
if (count.skipped > 0) console.log(`${count.skipped} skipped`);
console.log(summary(count));
process.exitCode = count.failed > 0 ? 1 : 0;
