import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { javaTool } from "./java.ts";

const run = promisify(execFile);

/** Protects nothing: the key lives as long as the test. */
const PASSWORD = "test-servers";

/** A key for `localhost` and 127.0.0.1, and its certificate, which is its own authority. */
export async function certificate(folder: string): Promise<{
  keystore: { path: string; password: string };
  /** PEM. */
  ca: string;
}> {
  const path = join(folder, "broker.p12");
  const store = ["-keystore", path, "-storepass", PASSWORD, "-alias", "broker"];
  const key = ["-keyalg", "EC", "-groupname", "secp256r1", "-validity", "2"];
  const names = ["-dname", "CN=localhost", "-ext", "san=ip:127.0.0.1,dns:localhost"];
  await run(javaTool("keytool"), ["-genkeypair", ...store, ...key, ...names]);
  const { stdout } = await run(javaTool("keytool"), ["-exportcert", "-rfc", ...store]);
  return { keystore: { path, password: PASSWORD }, ca: stdout };
}
