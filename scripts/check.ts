import { checks, run } from "./steps.ts";

const { failed } = await run(checks);
process.exitCode = failed > 0 ? 1 : 0;
