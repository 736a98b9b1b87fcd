import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { mutations } from "./index.ts";

const topology = join(import.meta.dirname, "../../src/topology");

describe("the bug that", () => {
  it.each(mutations)("$name changes one place of $file", ({ file, search, replace }) => {
    const code = readFileSync(join(topology, `${file}.ts`), "utf8");
    expect(code.split(search)).toHaveLength(2);
    expect(replace).not.toBe(search);
  });
});
