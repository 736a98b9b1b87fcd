import { join } from "node:path";

import { build } from "esbuild";

/** The Node that runs the workloads, and what it is to run. */
export interface Runtime {
  readonly execPath: string;
  readonly child: string;
}

/** This Node, or the one at a path: one that knows no TypeScript gets the workloads as JavaScript. */
export async function runtimeAt(execPath: string | undefined): Promise<Runtime> {
  const child = join(import.meta.dirname, "child.ts");
  if (execPath === undefined) return { execPath: process.execPath, child };
  const outfile = join(import.meta.dirname, "../dist/child.js");
  const options = { bundle: true, packages: "external", platform: "node", format: "esm" } as const;
  await build({ ...options, entryPoints: [child], outfile, target: "node20.19" });
  return { execPath, child: outfile };
}
