import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describeWith, sharedKafka, uniqueName } from "test-servers/vitest";
import { expect, it } from "vitest";
import { writeEvents } from "../support/events.ts";
import { eventsFor } from "../support/member.ts";

const CONSUMER = join(import.meta.dirname, "../fixtures/consumer.ts");
const EVENTS = 6000;
const KILLS = 10;

describeWith("kafka", "a process that is killed again and again", () => {
  it("loses nothing, and repeats at most what was in flight or not yet committed", async () => {
    const { brokers, admin } = sharedKafka();
    const topic = uniqueName("kill");
    await admin.createTopic(topic, { partitions: 4 });
    await writeEvents(brokers, topic, eventsFor(4, EVENTS));
    const folder = mkdtempSync(join(tmpdir(), "westend-kill-"));
    const log = join(folder, "handled");
    const handled = (): string[] => {
      try {
        return readFileSync(log, "utf8").split("\n").filter(Boolean);
      } catch {
        return [];
      }
    };
    try {
      for (let kills = 0; ; kills++) {
        const child = spawn(process.execPath, ["--conditions=@westend/source", CONSUMER], {
          env: { ...process.env, BROKERS: brokers.join(","), TOPIC: topic, LOG: log },
          stdio: ["ignore", "ignore", "inherit"],
        });
        const ended = once(child, "exit");
        if (kills < KILLS) {
          const before = handled().length;
          while (child.exitCode === null && handled().length < before + 20 + Math.random() * 300)
            await sleep(5);
          child.kill("SIGKILL");
        }
        const [code] = (await ended) as [number | null];
        if (code === 0) break;
        if (code !== null) throw new Error(`the consumer ended with ${code}`);
      }
      const all = handled();
      expect(new Set(all).size).toBe(EVENTS);
      // What a killed process had handled since it began, at most; in fact what it handled since its last commit.
      expect(all.length - EVENTS).toBeLessThan(KILLS * 600);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
