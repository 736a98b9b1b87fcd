import { definePipeline, memory, type Producer } from "westend";
import { describe, expect, it } from "vitest";
import { Lane } from "../src/lane.ts";

const SECOND = 1000;

/** What a lane says of itself some time from now. */
function reminderOf(lane: Lane, from: number, seconds: number): string[] {
  const said: string[] = [];
  const reporter = {
    standing: (pipeline: string, milliseconds: number, where: string) =>
      said.push(`${pipeline} stands ${Math.round(milliseconds / SECOND)} s: ${where}`),
    opening: (pipeline: string, milliseconds: number) =>
      said.push(`${pipeline} opens ${Math.round(milliseconds / SECOND)} s`),
  };
  lane.remind(reporter, from + seconds * SECOND);
  return said;
}

describe("Lane", () => {
  it("says where messages are when none has ended for a while", async () => {
    const source = memory(["a", "b"]);
    source.end();
    let end: () => void = () => {};
    const done = new Promise<void>((resolve) => (end = resolve));
    const processor = { concurrency: 1, handle: () => done };
    const lane = new Lane(definePipeline({ name: "stuck", producer: source, processor }));
    let run = Promise.resolve();
    await new Promise<unknown>((started) => void (run = lane.run(started)));
    const now = performance.now();

    expect(reminderOf(lane, now, 9)).toEqual([]);
    expect(reminderOf(lane, now, 12)).toEqual(["stuck stands 12 s: processor 1/1 busy, 1 ready"]);
    end();
    await run;
    expect(reminderOf(lane, now, 3600)).toEqual([]);
  });

  it("says that it has not started when a source does not open", async () => {
    const closed: Producer<string> = { name: "closed", open: () => new Promise(() => {}) };
    const processor = { handle() {} };
    const lane = new Lane(definePipeline({ name: "waiting", producer: closed, processor }));
    const run = lane.run(() => {});
    const now = performance.now();

    expect(reminderOf(lane, now, 9)).toEqual([]);
    expect(reminderOf(lane, now, 11)).toEqual(["waiting opens 11 s"]);
    lane.drain(undefined);
    await run;
  });

  it("says no more of what could not start", async () => {
    const broken: Producer<string> = {
      name: "broken",
      open: () => Promise.reject(new Error("no")),
    };
    const [restart, processor] = [{ max: 0 }, { handle() {} }];
    const lane = new Lane(definePipeline({ name: "dead", producer: broken, restart, processor }));
    await expect(lane.run(() => {})).rejects.toThrow("no");

    expect(reminderOf(lane, performance.now(), 3600)).toEqual([]);
  });
});
