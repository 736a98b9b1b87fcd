import type { TestProject } from "vitest/node";
import { startPostgres } from "../postgres/postgres.ts";
import { missing } from "../services.ts";

/** A `globalSetup` of vitest: one server for all test files of a project (`sharedPostgres`). */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | void> {
  if (missing("postgres") !== undefined) return;
  const postgres = await startPostgres({ fsync: false, settings: { max_connections: "300" } });
  project.provide("postgres", { url: postgres.url });
  return () => postgres.stop();
}
