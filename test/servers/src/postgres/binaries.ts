import { existsSync, readdirSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

const DEBIAN = "/usr/lib/postgresql";

/** The folder that has `initdb` and `postgres`: of the path, else the newest of Debian's. */
export function postgresBinaries(): string | undefined {
  const path = (process.env["PATH"] ?? "").split(delimiter);
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN) : [];
  const debian = versions
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN, version, "bin"));
  for (const folder of [...path, ...debian]) {
    const server = join(folder, "postgres");
    if (!existsSync(server)) continue;
    // initdb looks for its companions beside itself, not beside a link to it.
    const real = dirname(realpathSync(server));
    if (existsSync(join(real, "initdb"))) return real;
  }
  return undefined;
}
