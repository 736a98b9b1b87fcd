import { defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

/** Workspace packages see each other's sources, not their builds (CONTRIBUTING.md, "Layout"). */
const conditions = ["@westend/source", ...defaultServerConditions];

/** One broker for all test files of a project; started only if there are any to run. */
const kafka = { globalSetup: "test/servers/src/vitest/kafka-setup.ts" };

/** One PostgreSQL for all test files of a project. */
const postgres = { globalSetup: "test/servers/src/vitest/postgres-setup.ts" };

/** Starting servers takes its time on a busy machine. */
const servers = { testTimeout: 120_000, hookTimeout: 120_000 };

/** Kafka to PostgreSQL under faults; in full, hours are not too long. */
const chaos = {
  globalSetup: [kafka.globalSetup, postgres.globalSetup],
  testTimeout: process.env["WESTEND_CHAOS"] === "full" ? 3_600_000 : 900_000,
  hookTimeout: 300_000,
  fileParallelism: false,
};

/** Its files share a process, which is started and loads the sources once. */
const shared = { isolate: false, setupFiles: ["packages/core/test/support/restored.ts"] };

/** Node 20 has none; what needs it has no tests there. */
const hasSqlite = process.getBuiltinModule("node:sqlite") !== undefined;

const project = (name: string, include: string[], options: object = {}) => ({
  extends: true as const,
  test: { name, include, ...options },
});

const withSqlite = [
  project("sqlite", ["packages/sqlite/test/*.test.ts"], shared),
  project("benchmarks", ["benchmarks/test/**/*.test.ts"]),
  project("system", ["test/*.test.ts", "examples/*/test/**/*.test.ts"], {
    testTimeout: 180_000,
    fileParallelism: false,
  }),
];

/** What starts processes of its own takes seconds: `npm run check` does without. */
const processes = ["cli", ...(hasSqlite ? ["sqlite"] : [])].map(
  (name) => `packages/${name}/test/processes/**/*.test.ts`,
);

/** The client of `@westend/kafka` is not promised to run on Node 20. */
const withKafka = hasSqlite
  ? [
      project("kafka", ["packages/kafka/test/{*,platformatic/*}.test.ts"], {
        ...kafka,
        ...servers,
        ...shared,
      }),
      // Waits for real time to pass, and kills servers.
      project("kafka-server", ["packages/kafka/test/server/*.test.ts"], { ...kafka, ...servers }),
      project("chaos", ["test/chaos/*.test.ts"], chaos),
      project("servers", ["test/servers/test/**/*.test.ts"], { ...kafka, ...servers }),
    ]
  : [];

if (!hasSqlite) {
  const names = withSqlite.map(({ test }) => test.name).join(", ");
  console.log(`Node ${process.versions.node} has no node:sqlite; left out: ${names}`);
  for (const { test } of withSqlite) test.include = [];
}

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // Far more than any test takes: what hangs fails in the end, and a busy machine fails nothing.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      project("core", ["packages/core/test/**/*.test.ts"], shared),
      ...withKafka,
      project("postgres", ["packages/postgres/test/*.test.ts"], {
        ...postgres,
        ...servers,
        ...shared,
      }),
      // Waits for real time to pass, and kills servers.
      project("postgres-server", ["packages/postgres/test/server/*.test.ts"], {
        ...postgres,
        ...servers,
      }),
      project("cli", ["packages/cli/test/*.test.ts"], shared),
      project("processes", processes),
      ...withSqlite,
    ],
    coverage: {
      provider: "v8",
      include: ["packages/*/src/**/*.ts"],
      reporter: ["text-summary", "lcov"],
      reportsDirectory: "coverage",
    },
  },
});
