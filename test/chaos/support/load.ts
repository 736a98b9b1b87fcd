import { ProduceAcks, Producer } from "@platformatic/kafka";
import { setTimeout as sleep } from "node:timers/promises";
import type { Event } from "./protocol.ts";

const INTERVAL = 50;
const KEYS = 60;

/** Produces events at a rate until it is stopped. Each is sent until the brokers have it. */
export class Load {
  readonly #brokers: readonly string[];
  readonly #topic: string;
  readonly #partitions: number;
  #producer: Producer | undefined;
  #running: Promise<void> | undefined;
  #stopping = false;
  /** Events the brokers have; their ids are below this. */
  acknowledged = 0;

  constructor(brokers: readonly string[], topic: string, partitions: number) {
    this.#brokers = brokers;
    this.#topic = topic;
    this.#partitions = partitions;
  }

  /** @param shape what is special about an event */
  start(perSecond: number, shape: (id: number) => Partial<Event> = () => ({})): void {
    this.#stopping = false;
    this.#running = this.#run(Math.max(1, Math.round((perSecond * INTERVAL) / 1000)), shape);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    await this.#producer?.close();
    this.#producer = undefined;
  }

  /** So many at once. */
  async send(count: number, shape: (id: number) => Partial<Event> = () => ({})): Promise<void> {
    const events = Array.from({ length: count }, (_, index) => {
      const id = this.acknowledged + index;
      return { id, key: `k${id % KEYS}`, ...shape(id) };
    });
    while (!(await this.#try(events))) await sleep(200);
    this.acknowledged += count;
  }

  async #run(count: number, shape: (id: number) => Partial<Event>): Promise<void> {
    let next = performance.now();
    while (!this.#stopping) {
      await this.send(count, shape);
      next = Math.max(next + INTERVAL, performance.now() - INTERVAL);
      await sleep(Math.max(0, next - performance.now()));
    }
  }

  async #try(events: readonly Event[]): Promise<boolean> {
    this.#producer ??= new Producer({
      clientId: "load",
      bootstrapBrokers: [...this.#brokers],
      connectTimeout: 2000,
      requestTimeout: 5000,
      retries: 0,
    });
    const messages = events.map((event) => ({
      topic: this.#topic,
      partition: (event.id % KEYS) % this.#partitions,
      key: Buffer.from(event.key),
      value: Buffer.from(JSON.stringify(event)),
    }));
    try {
      await this.#producer.send({ acks: ProduceAcks.ALL, messages });
      return true;
    } catch {
      // Perhaps they are there: then they are there twice, at different places.
      const producer = this.#producer;
      this.#producer = undefined;
      await producer.close().catch(() => undefined);
      return false;
    }
  }
}
