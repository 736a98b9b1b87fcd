import type { TestProject } from "vitest/node";
import { fetchJars } from "../kafka/jars.ts";
import { startKafka } from "../kafka/kafka.ts";
import { missing, servicesAreRequired } from "../services.ts";

/** A `globalSetup` of vitest: one broker for all test files of a project (`sharedKafka`). */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | void> {
  if (missing("kafka") !== undefined) return;
  try {
    await fetchJars();
  } catch (error) {
    if (servicesAreRequired()) throw error;
    console.warn(error);
    process.env["WESTEND_WITHOUT"] = `${process.env["WESTEND_WITHOUT"] ?? ""},kafka`;
    return;
  }
  const kafka = await startKafka();
  project.provide("kafka", { brokers: kafka.brokers, internal: kafka.admin.brokers });
  return () => kafka.stop();
}
