import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describeWith } from "test-servers/vitest";
import { describe, expect, it, vi } from "vitest";

const fixture = join(import.meta.dirname, "fixtures", "starts-servers.ts");

describeWith(["kafka", "postgres"], "a process that started servers", () => {
  it.runIf(process.platform === "linux").each(["SIGKILL", "SIGTERM", undefined] as const)(
    "leaves none behind when it ends by %s",
    async (signal) => {
      const child = spawn(process.execPath, ["--conditions=@westend/source", fixture], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      const [line] = (await once(child.stdout, "data")) as [Buffer];
      const { pids } = JSON.parse(line.toString()) as { pids: number[] };
      expect(pids.every(isThere)).toBe(true);

      if (signal === undefined) child.stdin.end();
      else child.kill(signal);
      await once(child, "exit");

      await vi.waitFor(() => expect(pids.filter(isThere)).toEqual([]), { timeout: 30_000 });
    },
  );
});

describe("a process that exits", () => {
  it("ends what it has, the newest first, and listens for its exit once", () => {
    const fixture = join(import.meta.dirname, "fixtures", "ends.ts");
    const { stdout, stderr } = spawnSync(process.execPath, [fixture], { encoding: "utf8" });

    const servers = Array.from({ length: 20 }, (_, index) => `server ${20 - index}`);
    expect(stdout.trim().split("\n")).toEqual([...servers, "folder"]);
    expect(stderr).not.toContain("MaxListenersExceededWarning");
  });
});

describe("ports", () => {
  it("are not given twice, to other processes neither", async () => {
    const fixture = join(import.meta.dirname, "fixtures", "takes-ports.ts");
    const takers = Array.from({ length: 3 }, () =>
      spawn(process.execPath, ["--conditions=@westend/source", fixture], {
        stdio: ["pipe", "pipe", "inherit"],
      }),
    );
    const lines = await Promise.all(takers.map(({ stdout }) => once(stdout, "data")));
    for (const { stdin } of takers) stdin.end();
    await Promise.all(takers.map((taker) => once(taker, "exit")));

    const ports = lines.flatMap(([line]) => JSON.parse(String(line)) as number[]);
    expect(ports).toHaveLength(600);
    expect(new Set(ports).size).toBe(600);
  });
});

/** Not so for what has ended and was not waited for yet. */
function isThere(pid: number): boolean {
  return existsSync(`/proc/${pid}/exe`);
}
