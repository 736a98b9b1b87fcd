import assert from "node:assert/strict";
import type { Clock } from "../../clock.ts";
import type { ProcessorOptions } from "../../definition.ts";
import { definePipeline } from "../../pipeline.ts";
import type { RunningPipeline } from "../../running-pipeline.ts";
import type { ProducerFeatures, ProducerHarness } from "../describe-producer.ts";
import type { VirtualClock } from "../virtual-clock.ts";
import { TrialSession } from "./session.ts";
import { Time } from "./time.ts";

export interface TrialOptions<Payload, Metadata> {
  readonly harness: ProducerHarness<Payload, Metadata>;
  readonly features: ProducerFeatures;
  readonly clock: Clock;
  readonly virtual: VirtualClock | undefined;
  readonly patience: number | undefined;
}

/** One producer with a fresh source, and what a scenario does to it. */
export class Trial<Payload = unknown, Metadata = unknown> {
  readonly harness: ProducerHarness<Payload, Metadata>;
  readonly features: ProducerFeatures;
  readonly time: Time;
  readonly virtual: VirtualClock | undefined;
  readonly #sessions: TrialSession[] = [];
  readonly #pipelines: RunningPipeline<Payload, Metadata>[] = [];
  #run = new AbortController();
  #sent = 0;
  #seed = 1;

  constructor({ harness, features, clock, virtual, patience }: TrialOptions<Payload, Metadata>) {
    this.harness = harness;
    this.features = features;
    this.virtual = virtual;
    const known = patience ?? (virtual === undefined ? 10_000 : 1000);
    this.time = new Time({ clock, virtual, patience: known });
  }

  /** Sends so many new values, and gives them. */
  async send(count: number, options?: { readonly key?: string }): Promise<string[]> {
    const values = Array.from({ length: count }, () => `message ${this.#sent++}`);
    await this.time.settled(this.harness.send(values, options), "send()");
    return values;
  }

  async finish(): Promise<void> {
    const { harness } = this;
    assert.ok(harness.finish, needs("finish"));
    await this.time.settled(harness.finish(), "finish()");
  }

  async break(): Promise<void> {
    const { harness } = this;
    assert.ok(harness.break, needs("break"));
    await this.time.settled(harness.break(), "break()");
  }

  async refuse(values: readonly string[]): Promise<void> {
    const { harness } = this;
    assert.ok(harness.refuse, needs("refuse"));
    await this.time.settled(harness.refuse(values), "refuse()");
  }

  async expire(): Promise<void> {
    await this.time.settled(this.harness.expire?.(), "expire()");
  }

  /** Opens a session, as the pipeline that is under way would. */
  async open(index: number = 0): Promise<TrialSession> {
    const session = new TrialSession({
      producer: this.harness.producer,
      time: this.time,
      run: this.#run.signal,
      index,
      textOf: (payload) => this.textOf(payload as Payload),
    });
    this.#sessions.push(session);
    await session.open();
    return session;
  }

  /** Ends the run: the next session is one of another. */
  endRun(): void {
    this.#run.abort(new Error("The pipeline has ended."));
    this.#run = new AbortController();
  }

  /** Starts a pipeline with this producer. */
  async start(
    processor: ProcessorOptions<Payload, Metadata, void>,
    { concurrency = 1 }: { readonly concurrency?: number } = {},
  ): Promise<RunningPipeline<Payload, Metadata>> {
    const definition = definePipeline({
      name: "conformance",
      producer: { producer: this.harness.producer, concurrency },
      processor,
    });
    const starting = definition.start({ clock: this.time.clock });
    const running = (await this.time.settled(
      starting,
      "the start of a pipeline",
    )) as RunningPipeline<Payload, Metadata>;
    running.done.catch(() => {});
    this.#pipelines.push(running);
    return running;
  }

  textOf(payload: Payload): string {
    if (this.harness.textOf !== undefined) return this.harness.textOf(payload);
    if (typeof payload === "string") return payload;
    assert.ok(
      payload instanceof Uint8Array,
      "the harness has to say what its payloads are made from: textOf",
    );
    return new TextDecoder().decode(payload);
  }

  /** Fails if the source still has anything, if it can say. */
  async assertEmpty(): Promise<void> {
    if (this.harness.counts === undefined) return;
    const { waiting, taken } = await this.time.settled(this.harness.counts(), "counts()");
    const left = `${waiting} waiting and ${taken} taken`;
    assert.ok(waiting === 0 && taken === 0, `the source should have nothing left; it has ${left}`);
  }

  /** From 0 up to the limit, the same in every run. */
  random(limit: number): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#seed / 2 ** 32) * limit);
  }

  shuffled<Value>(values: readonly Value[]): Value[] {
    const keyed = values.map((value) => ({ value, at: this.random(2 ** 30) }));
    return keyed.sort((a, b) => a.at - b.at).map(({ value }) => value);
  }

  /** Whatever a scenario that failed has left open. */
  async end(): Promise<void> {
    await Promise.all(this.#pipelines.map((running) => running.stop({ timeout: 0 })));
    for (const session of this.#sessions) await session.close();
    this.endRun();
  }
}

function needs(part: string): string {
  return `the harness needs ${part} for what the producer promises`;
}
