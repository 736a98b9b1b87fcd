import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { atExit } from "./at-exit.ts";
import { tryLock, unlock } from "./lock.ts";

const HOST = "127.0.0.1";

/**
 * Below the ports that systems give to outgoing connections: such a port could be taken by anybody
 * while its server is down for a restart.
 */
const FIRST = 12_000;
const LAST = 32_000;

/** Ports that this process has taken for its servers. */
const ours = new Set<number>();

/** A port that nobody listens on and that no other process that asks here gets. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (!reserve(port)) continue;
    if (await isFree(port)) return port;
  }
}

/** Servers take seconds to start, and others look for ports meanwhile. */
function reserve(port: number): boolean {
  if (ours.has(port) || !tryLock(lockOf(port))) return false;
  if (ours.size === 0) atExit(() => ours.forEach((each) => unlock(lockOf(each))));
  ours.add(port);
  return true;
}

function lockOf(port: number): string {
  const folder = join(tmpdir(), `westend-ports-${userInfo().username}`);
  mkdirSync(folder, { recursive: true });
  return join(folder, String(port));
}

/** Different ports that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, HOST);
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
