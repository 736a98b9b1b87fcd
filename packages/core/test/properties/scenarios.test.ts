import { describe, expect, it } from "vitest";
import { holdsFor } from "../support/properties.ts";
import { scenarios } from "../support/scenarios/arbitrary.ts";
import { runScenario } from "../support/scenarios/run-scenario.ts";

/** Long enough for a night's runs. */
const timeout = 3_600_000;

describe("every promise, whatever happens", { timeout }, () => {
  it("holds until a finite source has ended", async () => {
    const finite = scenarios({ stops: false, fatal: false });
    await expect(holdsFor(finite, runScenario, 1000)).resolves.toBeUndefined();
  });

  it("holds when it is stopped at any moment", async () => {
    const stopped = scenarios({ stops: true, fatal: false });
    await expect(holdsFor(stopped, runScenario, 1000)).resolves.toBeUndefined();
  });

  it("holds when a failure stops it", async () => {
    const failing = scenarios({ stops: true, fatal: true });
    await expect(holdsFor(failing, runScenario, 600)).resolves.toBeUndefined();
  });
});
