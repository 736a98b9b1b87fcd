import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Ring } from "../../src/topology/ring.ts";

type Command = "shift" | { readonly push: number } | { readonly unshift: number };

describe("Ring", () => {
  it("gives nothing when it is empty", () => {
    const ring = new Ring<number>();
    expect([ring.shift(), ring.length]).toEqual([undefined, 0]);
  });

  it("does what an array does, however far it grows and turns", () => {
    const command = fc.oneof(
      { weight: 4, arbitrary: fc.record({ push: fc.integer() }) },
      { weight: 1, arbitrary: fc.record({ unshift: fc.integer() }) },
      { weight: 3, arbitrary: fc.constant("shift" as const) },
    );
    fc.assert(
      fc.property(fc.array<Command>(command, { maxLength: 600, size: "max" }), (commands) => {
        const ring = new Ring<number>();
        const model: number[] = [];
        const apply = (one: Command, to: Pick<Ring<number>, "push" | "unshift" | "shift">) => {
          if (one === "shift") return to.shift();
          if ("push" in one) to.push(one.push);
          else to.unshift(one.unshift);
          return undefined;
        };
        for (const one of commands) {
          expect(apply(one, ring)).toBe(apply(one, model as never));
          expect(ring.length).toBe(model.length);
        }
        while (model.length > 0) expect(ring.shift()).toBe(model.shift());
        expect(ring.shift()).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });

  it("keeps the order when it grows while its head is not at the start", () => {
    const ring = new Ring<number>();
    for (let value = 0; value < 60; value++) ring.push(value);
    for (let value = 0; value < 50; value++) ring.shift();
    for (let value = 60; value < 200; value++) ring.push(value);
    const rest = Array.from({ length: ring.length }, () => ring.shift());
    expect(rest).toEqual(Array.from({ length: 150 }, (_, index) => 50 + index));
  });
});
