import { describe, expect, it } from "vitest";
import type { KafkaMessage } from "../src/message.ts";
import { Partition } from "../src/partition.ts";
import { Log } from "./support/simulation/log.ts";

describe("a partition whose log has been cut off further on", () => {
  it("is committed up to there when what was fetched before has ended, not earlier", () => {
    const log = new Log();
    log.append(2);
    const where = { topic: "events", partition: 0 };
    const partition = new Partition(where, 0, "", "key");
    partition.add({ ...where, problem: undefined, end: 2, records: log.read(0) });
    partition.jump(50);
    expect(partition.fetchOffset).toBe(50);
    expect(partition.tracker.commit(0)).toBeUndefined();
    for (const offset of [0, 1]) {
      const message = partition.peek() as KafkaMessage;
      expect(message.offset).toBe(offset);
      partition.shift();
      expect(partition.tracker.commit(0)?.offset ?? 0).toBe(offset);
      partition.tracker.done(message);
    }
    expect(partition.peek()).toBeUndefined();
    expect(partition.tracker.commit(0)).toEqual({ offset: 50, metadata: "" });
  });
});
