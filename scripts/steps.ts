import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

/** One npm script, run as a step of a larger one. */
export interface Step {
  /** The npm script's name. */
  readonly script: string;
  /** Runs vitest: its tests are counted, not the step. */
  readonly vitest?: boolean;
  /** Shows its output as it comes, not only if it fails. */
  readonly live?: boolean;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly ancestorTitles: readonly string[] }[];
  }[];
}

/** What steps came to, in tests; a step that runs no tests counts as one. */
export interface Count {
  passed: number;
  failed: number;
  skipped: number;
  /** The suites that were skipped for want of a server, with the reason. */
  readonly left: Set<string>;
}

const root = join(import.meta.dirname, "..");

/** What every check consists of; the lists of a list run after one another, the steps of a list side by side. */
export const checks: readonly (readonly Step[])[] = [
  [{ script: "build" }],
  [
    { script: "coverage", vitest: true },
    { script: "package" },
    { script: "unused" },
    { script: "types" },
    { script: "lint" },
    { script: "size" },
    { script: "format:check" },
  ],
];

/** Two at a time: most steps use one core. */
const CONCURRENCY = 2;

/** Runs steps, prints a line for each and the output of those that failed. */
export async function run(groups: readonly (readonly Step[])[]): Promise<Count> {
  const total = nothing();
  for (const group of groups) {
    const waiting = [...group];
    const worker = async (): Promise<void> => {
      for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
        const count = await runStep(step);
        total.passed += count.passed;
        total.failed += count.failed;
        total.skipped += count.skipped;
        for (const suite of count.left) total.left.add(suite);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  }
  for (const suite of total.left) console.log(`skip  ${suite}`);
  return total;
}

/** `12 passed, 0 failed`. */
export function summary({ passed, failed }: Count): string {
  return `${passed} passed, ${failed} failed`;
}

async function runStep(step: Step): Promise<Count> {
  const folder = mkdtempSync(join(tmpdir(), "westend-step-"));
  try {
    const report = join(folder, "vitest.json");
    const options = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const args = ["run", "--silent", step.script, ...(step.vitest ? ["--", ...options] : [])];
    const started = performance.now();
    const { code, output } = await npm(args, step.live ?? false);
    const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(5);

    const ok = code === 0;
    const count = step.vitest ? testCount(report, ok) : one(ok);
    const detail = [
      step.vitest && summary(count),
      count.skipped > 0 && `${count.skipped} skipped`,
      coverage(output),
    ]
      .filter(Boolean)
      .join(", ");
    if (!ok && !step.live) console.log(output.trimEnd());
    console.log(
      `${ok ? "ok  " : "FAIL"} ${seconds} s  ${step.script.padEnd(12)} ${detail}`.trimEnd(),
    );
    return count;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function npm(args: string[], live: boolean): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn("npm", args, {
      cwd: root,
      shell: process.platform === "win32",
      stdio: live ? ["ignore", "inherit", "inherit"] : ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const keep = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

function nothing(): Count {
  return { passed: 0, failed: 0, skipped: 0, left: new Set() };
}

function one(ok: boolean): Count {
  return { ...nothing(), passed: ok ? 1 : 0, failed: ok ? 0 : 1 };
}

function testCount(report: string, ok: boolean): Count {
  let text: string;
  try {
    text = readFileSync(report, "utf8");
  } catch {
    return ok ? nothing() : one(false);
  }
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    text,
  ) as VitestReport;
  // A file that does not load has no tests that could fail.
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  );
  const failed = numFailedTests + broken.length;
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  // As `describeWith` of test-servers titles them.
  const left = tests.flatMap(({ ancestorTitles }) =>
    ancestorTitles.filter((title) => title.includes(" [needs ")),
  );
  return {
    passed: numPassedTests,
    failed: !ok && failed === 0 ? 1 : failed,
    skipped: numPendingTests + numTodoTests,
    left: new Set(left),
  };
}

/** The share of covered lines, from vitest's text summary. */
function coverage(output: string): string {
  const share = /Lines\s*:\s*([\d.]+%)/.exec(output)?.[1];
  return share === undefined ? "" : `${share} of lines covered`;
}
