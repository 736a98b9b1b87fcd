import {
  definePipeline,
  type PipelineOptions,
  type RunningPipeline,
  type StartOptions,
} from "westend";
import { type VirtualClock, virtualClock } from "../../src/testing/virtual-clock.ts";
import { numbers, TestSource, type TestSourceBehaviour } from "./test-source.ts";

export type SceneOptions = Partial<PipelineOptions<any, any, any>>;

/** A pipeline over a source of numbers, in virtual time. */
export interface Scene {
  readonly clock: VirtualClock;
  readonly source: TestSource;
  readonly running: RunningPipeline<number, any, any>;
}

/** Starts a pipeline that differs from the plainest in the options given. */
export async function startScene(
  options: SceneOptions = {},
  source: TestSource = new TestSource(),
  start: StartOptions = {},
): Promise<Scene> {
  const clock = virtualClock();
  const plain = { name: "scene", producer: source, processor: { concurrency: 4, handle() {} } };
  const pipeline = definePipeline<any, any, any>({ ...plain, ...options } as any);
  const running: RunningPipeline<any, any, any> = await pipeline.start({ clock, ...start });
  await clock.settle();
  return { clock, source, running };
}

export type Moment = readonly [
  options: SceneOptions,
  behaviour?: TestSourceBehaviour,
  payloads?: readonly number[],
];

/** Starts the scene of a moment in the life of a pipeline; 20 messages wait unless it says otherwise. */
export function startMoment(
  [options, behaviour = {}, payloads = numbers(1, 20)]: Moment,
  releases: boolean,
): Promise<Scene> {
  return startScene(options, new TestSource(payloads, { ...behaviour, releases }));
}
