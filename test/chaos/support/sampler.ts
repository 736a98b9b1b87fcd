import { setTimeout as sleep } from "node:timers/promises";
import type { KafkaAdmin } from "test-servers";
import { type Stretch, stretchesOf } from "./account.ts";

const INTERVAL = 200;

/** Watches what a group commits, as the broker has it. */
export class Sampler {
  readonly #admin: KafkaAdmin;
  readonly #group: string;
  readonly #watching: Promise<void>;
  #ended = false;
  /** The last commit of each partition. */
  readonly committed = new Map<number, number>();
  readonly wentBack: string[] = [];
  samples = 0;

  constructor(admin: KafkaAdmin, group: string, sampled: (moved: readonly Stretch[]) => unknown) {
    this.#admin = admin;
    this.#group = group;
    this.#watching = this.#watch(sampled);
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#watching;
  }

  /** What is recorded as done now, by commits and by their metadata. */
  async recorded(): Promise<Stretch[]> {
    const committed = await this.#admin.committed(this.#group);
    return committed.flatMap(stretchesOf);
  }

  async #watch(sampled: (moved: readonly Stretch[]) => unknown): Promise<void> {
    while (!this.#ended) {
      try {
        await sampled(await this.#sample());
      } catch {
        // The servers are out of reach, which is what is tested.
      }
      await sleep(INTERVAL);
    }
  }

  /** What has been committed since the last time. */
  async #sample(): Promise<Stretch[]> {
    const moved: Stretch[] = [];
    for (const { partition, offset } of await this.#admin.committed(this.#group)) {
      const before = this.committed.get(partition) ?? 0;
      const now = Number(offset);
      if (now < before) this.wentBack.push(`${partition}: from ${before} to ${now}`);
      if (now > before) moved.push([partition, before, now]);
      this.committed.set(partition, now);
    }
    this.samples++;
    return moved;
  }
}
