import { setTimeout as sleep } from "node:timers/promises";
import { describeWith, sharedKafka, uniqueName } from "test-servers/vitest";
import { expect, it } from "vitest";
import { writeEvents } from "../support/events.ts";
import { eventsFor, type Member, startMember } from "../support/member.ts";
import { until } from "../support/until.ts";

const PARTITIONS = 6;
/** Milliseconds. */
const STORM = Number(process.env["WESTEND_STORM"] ?? 15_000);
const WAVE = 120;

describeWith("kafka", "members that come and go without a rest", () => {
  it(
    "lose nothing, repeat nothing, keep the order within each ownership, and never commit backwards",
    { timeout: STORM + 120_000 },
    async () => {
      const { brokers, admin } = sharedKafka();
      const topic = uniqueName("storm");
      await admin.createTopic(topic, { partitions: PARTITIONS });
      /** Offsets in the order in which they were begun. */
      const begun: { member: number; partition: number; offset: number }[] = [];
      const handled: string[] = [];
      let next = 0;
      const start = async (): Promise<Member> => {
        const number = next++;
        return startMember({
          brokers,
          topic,
          groupId: topic,
          orderBy: "partition",
          async handle({ partition, offset, place }) {
            begun.push({ member: number, partition, offset });
            await sleep(Math.random() * 10);
            handled.push(place);
          },
        });
      };
      const members = [await start(), await start()];
      const highest = new Map<number, bigint>();
      const watch = async (): Promise<void> => {
        for (const { partition, offset } of await admin.committed(topic)) {
          const before = highest.get(partition) ?? 0n;
          if (offset < before)
            throw new Error(`partition ${partition} went back from ${before} to ${offset}`);
          highest.set(partition, offset);
        }
      };
      let written = 0;
      for (const end = Date.now() + STORM; Date.now() < end;) {
        await writeEvents(brokers, topic, eventsFor(PARTITIONS, WAVE));
        written += WAVE;
        if (members.length < 4 && Math.random() < 0.5) members.push(await start());
        else if (members.length > 1) await members.shift()!.running.stop();
        await watch();
        await sleep(200 + Math.random() * 800);
      }
      await until("all is handled", () => new Set(handled).size === written);
      await until("all is committed", async () => {
        await watch();
        return [...highest.values()].reduce((sum, offset) => sum + Number(offset), 0) === written;
      });
      await Promise.all(members.map(({ running }) => running.stop()));
      const last = new Map<string, number>();
      const outOfOrder = begun.filter(({ member, partition, offset }) => {
        const before = last.get(`${member} ${partition}`) ?? -1;
        last.set(`${member} ${partition}`, offset);
        return offset <= before;
      });
      expect(outOfOrder).toEqual([]);
      // Each of them waited for what ran, and committed it before it gave it away.
      expect(handled).toHaveLength(written);
    },
  );
});
