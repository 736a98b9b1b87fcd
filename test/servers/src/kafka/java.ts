import { join } from "node:path";

/** A program of the JDK that `JAVA_HOME` names, else of the path's. */
export function javaTool(name: "java" | "keytool"): string {
  const home = process.env["JAVA_HOME"];
  return home === undefined ? name : join(home, "bin", name);
}
