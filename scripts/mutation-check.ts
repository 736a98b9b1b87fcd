import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { type Mutation, mutations } from "../packages/core/test/mutations/index.ts";

/** What became of a mutant. */
interface Verdict {
  readonly kind: "killed" | "survived" | "does not apply" | "does not load";
  /** The test that found it. */
  readonly by?: string;
}

interface VitestReport {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly title: string }[];
  }[];
}

const root = join(import.meta.dirname, "..");
/** A mutant may hang what it breaks; then it has been found, too. */
const LONGEST = 60_000;
/** All tests at once, on a machine that may be busy: what hangs there is a defect. */
const LONGEST_OF_ALL = 600_000;

/** A copy of the core in which one mutation is made at a time: the tree others work in stays as it is. */
class Laboratory {
  readonly folder: string = mkdtempSync(join(tmpdir(), "westend-mutation-"));

  constructor() {
    const { folder } = this;
    for (const name of [
      "package.json",
      "vitest.config.ts",
      "tsconfig.base.json",
      "tsconfig.test.base.json",
    ]) {
      cpSync(join(root, name), join(folder, name));
    }
    const core = join(folder, "packages", "core");
    for (const name of ["src", "test", "package.json"]) {
      cpSync(join(root, "packages", "core", name), join(core, name), { recursive: true });
    }
    // Everything but westend itself, which must be the copy.
    const modules = join(folder, "node_modules");
    mkdirSync(modules);
    for (const name of readdirSync(join(root, "node_modules"))) {
      if (name !== "westend") link(join(root, "node_modules", name), join(modules, name));
    }
    link(core, join(modules, "westend"));
  }

  /** Runs tests with a mutation made, or as everything is. */
  async examine(tests: readonly string[], mutation?: Mutation): Promise<Verdict> {
    const path = mutation && join(this.folder, "packages/core/src/topology", `${mutation.file}.ts`);
    if (mutation === undefined || path === undefined) return this.#run(tests, LONGEST_OF_ALL);
    const source = readFileSync(path, "utf8");
    if (source.split(mutation.search).length !== 2) return { kind: "does not apply" };
    writeFileSync(
      path,
      source.replace(mutation.search, () => mutation.replace),
    );
    try {
      return await this.#run(tests, LONGEST);
    } finally {
      writeFileSync(path, source);
    }
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }

  async #run(tests: readonly string[], longest: number): Promise<Verdict> {
    const report = join(this.folder, "report.json");
    rmSync(report, { force: true });
    const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
    const files = tests.map((test) => `packages/core/test/${test}`);
    const reporter = ["--reporter=json", `--outputFile=${report}`];
    const args = [vitest, "run", "--project", "core", "--bail", "1", ...reporter, ...files];
    // A fixed seed: what it finds today it finds tomorrow.
    const env = { ...process.env, WESTEND_PROPERTY_SEED: "1" };
    // In a process group of its own, so that a worker that spins can be ended with it.
    const child = spawn(process.execPath, args, {
      cwd: this.folder,
      stdio: "ignore",
      env,
      detached: true,
    });
    const late = setTimeout(() => process.kill(-(child.pid as number), "SIGKILL"), longest);
    const [code] = (await once(child, "close")) as [number | null];
    clearTimeout(late);
    if (code === 0) return { kind: "survived" };
    if (code === null) return { kind: "killed", by: "a test that hangs" };
    const { testResults } = JSON.parse(readFileSync(report, "utf8")) as VitestReport;
    const failed = testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .find(({ status }) => status === "failed");
    // Nothing is shown by tests that cannot be loaded.
    return failed === undefined ? { kind: "does not load" } : { kind: "killed", by: failed.title };
  }
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path, "junction");
}

const only = process.argv[2];
const chosen = mutations.filter(
  ({ name, file }) => only === undefined || `${file}: ${name}`.includes(only),
);
const began = performance.now();
const failures: string[] = [];

async function work(waiting: Mutation[], laboratory: Laboratory): Promise<void> {
  for (let mutation = waiting.shift(); mutation !== undefined; mutation = waiting.shift()) {
    const started = performance.now();
    const verdict = await laboratory.examine(mutation.tests, mutation);
    const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(5);
    console.log(`${verdict.kind.padEnd(14)} ${seconds} s  ${mutation.file}: ${mutation.name}`);
    if (verdict.by !== undefined) console.log(`                         by: ${verdict.by}`);
    if (verdict.kind !== "killed") failures.push(mutation.name);
  }
}

const laboratories = Array.from(
  { length: Math.min(2, availableParallelism()) },
  () => new Laboratory(),
);
try {
  const [first] = laboratories as [Laboratory];
  const all = [...new Set(chosen.flatMap(({ tests }) => tests))];
  // Tests that fail anyway would kill every mutant.
  const { kind, by } = await first.examine(all);
  if (kind !== "survived") throw new Error(`Without a mutation: ${kind} by ${by}.`);
  const waiting = [...chosen];
  await Promise.all(laboratories.map((laboratory) => work(waiting, laboratory)));
} finally {
  for (const laboratory of laboratories) laboratory.close();
}
const seconds = ((performance.now() - began) / 1000).toFixed(0);
console.log(
  `${chosen.length - failures.length} of ${chosen.length} mutants killed in ${seconds} s`,
);
process.exitCode = failures.length > 0 ? 1 : 0;
