import { join } from "node:path";

/** The `java` to run: that of `JAVA_HOME`, else that of the path. */
export function java(): string {
  const home = process.env["JAVA_HOME"];
  return home === undefined ? "java" : join(home, "bin", "java");
}
