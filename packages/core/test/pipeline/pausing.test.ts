import { describe, expect, it } from "vitest";
import { deferred } from "../support/deferred.ts";
import { startScene } from "../support/scene.ts";
import { stopWithin } from "../support/stopping.ts";
import { recordTelemetry } from "../support/telemetry-recorder.ts";
import { numbers, TestSource } from "../support/test-source.ts";

describe("pause", () => {
  it("takes nothing from the source until resume, while what is in flight goes on", async () => {
    const gate = deferred();
    const { clock, source, running } = await startScene(
      { maxInFlight: 5, processor: { concurrency: 1, handle: () => gate.promise } },
      new TestSource(numbers(1, 20)),
    );
    running.pause();
    expect(running.status).toBe("paused");
    expect(running.stats().status).toBe("paused");
    gate.resolve();
    await clock.advance(10_000);
    expect(source.acknowledged).toEqual(numbers(1, 5));
    expect(source.waiting).toEqual(numbers(6, 20));
    running.resume();
    expect(running.status).toBe("running");
    await clock.settle();
    expect(source.acknowledged).toEqual(numbers(1, 20));
    await stopWithin(clock, running, 100);
  });

  it("lets what a pull brings that was under way be handled", async () => {
    const gate = deferred();
    const { clock, source, running } = await startScene(
      {},
      new TestSource([1, 2], { pull: (usual) => gate.promise.then(usual) }),
    );
    running.pause();
    gate.resolve();
    await clock.settle();
    expect(source.acknowledged).toEqual([1, 2]);
    await stopWithin(clock, running, 100);
  });

  it("emits batches at their timeout all the same", async () => {
    const { clock, source, running } = await startScene(
      {
        processor: { handle: (message: any) => message.to("sink") },
        batchers: { sink: { size: 100, timeout: 500, handle() {} } },
      },
      new TestSource([1, 2]),
    );
    running.pause();
    await clock.advance(500);
    expect(source.acknowledged).toEqual([1, 2]);
    await stopWithin(clock, running, 100);
  });

  it("does not keep a pipeline from being stopped", async () => {
    const { clock, running } = await startScene({}, new TestSource([1]));
    running.pause();
    await stopWithin(clock, running, 100);
    expect(running.status).toBe("stopped");
  });

  it("says that the pipeline drains when it does", async () => {
    const gate = deferred();
    const { running } = await startScene(
      { processor: { handle: () => gate.promise } },
      new TestSource([1]),
    );
    running.pause();
    const stopped = running.stop();
    expect(running.status).toBe("draining");
    gate.resolve();
    await stopped;
    expect(running.status).toBe("stopped");
  });

  it("is told once, and so is resume, however often they are called", async () => {
    using telemetry = recordTelemetry("scene");
    const { clock, running } = await startScene();
    running.resume();
    running.pause();
    running.pause();
    running.resume();
    running.resume();
    expect(telemetry.of("westend:pipeline:paused")).toEqual([{ pipeline: "scene" }]);
    expect(telemetry.of("westend:pipeline:resumed")).toEqual([{ pipeline: "scene" }]);
    await stopWithin(clock, running, 100);
    running.pause();
    running.resume();
    expect(running.status).toBe("stopped");
    expect(telemetry.of("westend:pipeline:paused")).toHaveLength(1);
  });
});
