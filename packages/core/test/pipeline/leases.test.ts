import { describe, expect, it } from "vitest";
import { deferred, never } from "../support/deferred.ts";
import { startScene } from "../support/scene.ts";
import { stopWithin } from "../support/stopping.ts";
import { numbers, TestSource } from "../support/test-source.ts";

describe("the lease of messages", () => {
  it("is extended at a third of its length, for those that have not ended, until the session closes", async () => {
    const extended: [number, number[], number][] = [];
    const gates = new Map(numbers(1, 3).map((number) => [number, deferred()]));
    const { clock, running } = await startScene(
      { processor: { handle: (message: any) => gates.get(message.data)?.promise } },
      new TestSource([1, 2, 3], {
        lease: 3000,
        extend: (messages, milliseconds) => {
          extended.push([clock.now(), messages.map(({ payload }) => payload), milliseconds]);
        },
      }),
    );
    await clock.advance(1500);
    gates.get(1)?.resolve();
    await clock.advance(1000);
    gates.get(2)?.resolve();
    gates.get(3)?.resolve();
    await clock.advance(5000);
    expect(extended).toEqual([
      [1000, [1, 2, 3], 3000],
      [2000, [2, 3], 3000],
    ]);
    await stopWithin(clock, running, 100);
    expect(clock.timers).toBe(0);
  });

  it("is not extended for what was acknowledged early", async () => {
    const extended: number[] = [];
    const { clock, running } = await startScene(
      {
        processor: {
          async handle(message: any) {
            if (message.data === 1) await message.ackNow();
            await never;
          },
        },
      },
      new TestSource([1, 2], {
        lease: 3000,
        extend: (messages) => void extended.push(...messages.map(({ payload }) => payload)),
      }),
    );
    await clock.advance(1000);
    expect(extended).toEqual([2]);
    await stopWithin(clock, running, 100);
  });

  it("goes on being extended when an extension fails", async () => {
    let calls = 0;
    const { clock, running } = await startScene(
      { processor: { handle: () => never } },
      new TestSource([1], {
        lease: 300,
        extend: () => {
          calls++;
          throw new Error("no");
        },
      }),
    );
    await clock.advance(1000);
    expect(calls).toBe(10);
    expect(running.status).toBe("running");
    await stopWithin(clock, running, 100);
  });
});
