import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { javaTool } from "./kafka/java.ts";
import { jarFolder } from "./kafka/jars.ts";
import { postgresBinaries } from "./postgres/binaries.ts";

/** A server that tests need and that not every machine has. */
export type Service = "kafka" | "postgres";

/** What Apache Kafka 4 runs on. */
const OLDEST_JAVA = 17;

const probes: Readonly<Record<Service, () => string | undefined>> = {
  kafka: noKafka,
  postgres: () => (postgresBinaries() === undefined ? "PostgreSQL is not installed" : undefined),
};

const known = new Map<Service, string | undefined>();

/** Why a server cannot be started here; `undefined` if it can. `WESTEND_WITHOUT=kafka` says that there is none. */
export function missing(service: Service): string | undefined {
  if (process.env["WESTEND_WITHOUT"]?.split(",").includes(service))
    return "left out by WESTEND_WITHOUT";
  if (!known.has(service)) known.set(service, probes[service]());
  return known.get(service);
}

/** Whether a missing server is a failure; it is in CI. */
export function servicesAreRequired(): boolean {
  return process.env["WESTEND_REQUIRE_SERVICES"] === "1";
}

function noKafka(): string | undefined {
  const { error, stderr } = spawnSync(javaTool("java"), ["-version"], { encoding: "utf8" });
  if (error !== undefined) return `Java ${OLDEST_JAVA} is not installed`;
  const version = /version "(\d+)/.exec(stderr)?.[1] ?? "0";
  if (Number(version) < OLDEST_JAVA) return `Java is ${version}, Kafka needs ${OLDEST_JAVA}`;
  if (existsSync(jarFolder())) return undefined;
  const { error: noMaven } = spawnSync("mvn", ["-version"]);
  return noMaven === undefined ? undefined : "Maven is not installed, which fetches Kafka";
}
