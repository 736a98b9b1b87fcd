import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { build } from "esbuild";

/**
 * Writes the code of `westend` as its entries and what they share: as fifty modules it takes three times as long to import.
 * The compiler writes the declarations.
 */

const core = join(import.meta.dirname, "../packages/core");
const dist = join(core, "dist");

for (const file of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
  if (/\.js(\.map)?$/.test(file)) rmSync(join(dist, file));
}

await build({
  entryPoints: {
    index: join(core, "src/index.ts"),
    "connector/index": join(core, "src/connector/index.ts"),
    "testing/index": join(core, "src/testing/index.ts"),
  },
  outdir: dist,
  bundle: true,
  splitting: true,
  chunkNames: "shared-[hash]",
  format: "esm",
  platform: "node",
  // What the compiler checks against; Node 20 knows all of it.
  target: "es2022",
  sourcemap: true,
  // Puts constants where they are used, while it is known that they are constant.
  minifySyntax: true,
  // Less to read for the compiler. Names stay, for stack traces; lines stay short, as Node prints the one that threw.
  minifyWhitespace: true,
  lineLimit: 120,
});
