import { constant } from "westend";
import { describe, expect, it } from "vitest";
import { NO_DELAYS } from "../support/no-delays.ts";
import { virtualClock } from "../../src/testing/virtual-clock.ts";
import { type Child, Supervisor } from "../../src/topology/supervisor.ts";

type Strategy = "oneForOne" | "restForOne";

function supervise(strategy: Strategy, budget = {}) {
  const clock = virtualClock();
  const calls: string[] = [];
  const escalated: unknown[] = [];
  const delays: [string, number][] = [];
  const child = (name: string): Child => ({
    name,
    start: () => void calls.push(`start ${name}`),
    stop: () => void calls.push(`stop ${name}`),
  });
  const children = ["a", "b", "c"].map(child);
  const supervisor = new Supervisor({
    name: "all",
    restForOne: strategy === "restForOne",
    children,
    clock,
    random: () => 0.5,
    budget: { max: 2, within: 1000, backoff: constant(100), ...budget },
    escalate: (error) => void escalated.push(error),
    restarting: (name, _, milliseconds) => void delays.push([name, milliseconds]),
  });
  supervisor.start();
  calls.length = 0;
  const [a, b, c] = children as [Child, Child, Child];
  return { clock, calls, escalated, delays, supervisor, a, b, c };
}

describe("Supervisor", () => {
  it("starts its children in order and stops them in the reverse order", () => {
    const { calls, supervisor } = supervise("oneForOne");
    supervisor.stop("over");
    expect(calls).toEqual(["stop c", "stop b", "stop a"]);
    calls.length = 0;
    supervisor.start();
    expect(calls).toEqual(["start a", "start b", "start c"]);
  });

  it.each<[Strategy, string[], string[]]>([
    ["oneForOne", ["stop b"], ["start b"]],
    ["restForOne", ["stop c", "stop b"], ["start b", "start c"]],
  ])("restarts under %s what has to be, after the back-off", async (strategy, stops, starts) => {
    const { clock, calls, supervisor, b } = supervise(strategy);
    supervisor.crashed(b, "spoilt");
    expect(calls).toEqual(stops);
    calls.length = 0;
    await clock.advance(99);
    expect(calls).toEqual([]);
    await clock.advance(1);
    expect(calls).toEqual(starts);
  });

  it.each(NO_DELAYS)("waits a second where the back-off %s", async (_, delay) => {
    const { clock, calls, delays, supervisor, b } = supervise("oneForOne", { backoff: { delay } });
    supervisor.crashed(b, "spoilt");
    await clock.advance(999);
    expect(calls).toEqual(["stop b"]);
    await clock.advance(1);
    expect(calls).toEqual(["stop b", "start b"]);
    expect(delays).toEqual([["b", 1000]]);
  });

  it("ignores crashes of a child that is down already", async () => {
    const { clock, calls, delays, supervisor, b } = supervise("oneForOne");
    for (let times = 0; times < 10; times++) supervisor.crashed(b, "spoilt");
    await clock.advance(1000);
    expect(calls).toEqual(["stop b", "start b"]);
    expect(delays).toEqual([["b", 100]]);
  });

  it("lets each child wait for itself under oneForOne", async () => {
    const { clock, calls, supervisor, a, b } = supervise("oneForOne");
    supervisor.crashed(a, "spoilt");
    await clock.advance(60);
    supervisor.crashed(b, "spoilt");
    await clock.advance(40);
    expect(calls).toEqual(["stop a", "stop b", "start a"]);
    await clock.advance(60);
    expect(calls.at(-1)).toBe("start b");
  });

  it("brings up together, in order, what crashed one after the other under restForOne", async () => {
    const { clock, calls, supervisor, a, c } = supervise("restForOne");
    supervisor.crashed(c, "spoilt");
    await clock.advance(60);
    supervisor.crashed(a, "spoilt");
    await clock.advance(99);
    expect(calls).toEqual(["stop c", "stop b", "stop a"]);
    await clock.advance(1);
    expect(calls.slice(3)).toEqual(["start a", "start b", "start c"]);
  });

  it("passes a crash on when the budget of the child is spent, and leaves it down", async () => {
    const { clock, calls, escalated, supervisor, a } = supervise("oneForOne");
    for (const error of ["first", "second", "third"]) {
      supervisor.crashed(a, error);
      await clock.advance(100);
    }
    expect(escalated).toEqual(["third"]);
    expect(calls.at(-1)).toBe("stop a");
    expect(clock.timers).toBe(0);
  });

  it("does not charge one child for what another did under oneForOne", async () => {
    const { clock, escalated, supervisor, a, b, c } = supervise("oneForOne");
    for (const child of [a, b, c, a, b, c]) {
      supervisor.crashed(child, "spoilt");
      await clock.advance(100);
    }
    expect(escalated).toEqual([]);
  });

  it("charges all for it where they crash together", async () => {
    const { clock, escalated, supervisor, a, b, c } = supervise("restForOne");
    for (const child of [a, b, c]) {
      supervisor.crashed(child, child.name);
      await clock.advance(100);
    }
    expect(escalated).toEqual(["c"]);
  });

  it("forgets crashes that are longer ago than `within`, and their back-off", async () => {
    const backoff = { delay: (attempt: number) => attempt * 10 };
    const { clock, escalated, delays, supervisor, a } = supervise("oneForOne", { backoff });
    for (let times = 0; times < 5; times++) {
      supervisor.crashed(a, "spoilt");
      await clock.advance(10);
      supervisor.crashed(a, "spoilt");
      await clock.advance(1010);
    }
    expect(escalated).toEqual([]);
    expect(delays.map(([, delay]) => delay)).toEqual([10, 20, 10, 20, 10, 20, 10, 20, 10, 20]);
  });

  it("passes the first crash on when the budget is 0", () => {
    const { escalated, supervisor, a } = supervise("oneForOne", { max: 0 });
    supervisor.crashed(a, "spoilt");
    expect(escalated).toEqual(["spoilt"]);
  });

  it("restarts nothing once it is stopped", async () => {
    const { clock, calls, supervisor, a } = supervise("oneForOne");
    supervisor.crashed(a, "spoilt");
    supervisor.stop("over");
    calls.length = 0;
    supervisor.crashed(a, "spoilt");
    await clock.advance(1000);
    expect(calls).toEqual([]);
    expect(clock.timers).toBe(0);
  });
});
