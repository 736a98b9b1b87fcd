import { checks, run } from "./steps.ts";

/** What takes longer waits for `npm test`: no server is started, and fewer random scenarios are played. */
process.env["WESTEND_WITHOUT"] ??= "kafka,postgres";
process.env["WESTEND_REQUIRE_SERVICES"] = "0";
process.env["WESTEND_PROPERTY_SHARE"] ??= "0.2";

const { failed } = await run(checks);
process.exitCode = failed > 0 ? 1 : 0;
