import { checks, run, summary } from "./steps.ts";

const count = await run([
  ...checks,
  [{ script: "types:matrix" }],
  [{ script: "system", vitest: true, live: true }],
  [{ script: "mutations", live: true }],
]);
console.log(summary(count));
process.exitCode = count.failed > 0 ? 1 : 0;
