import type { GroupEvents, KafkaDriverOptions, TopicPartition } from "../client.ts";
import { FencedError } from "../errors.ts";
import { explain, isHopeless } from "./failures.ts";
import type { Assignment, Consumer } from "./library.ts";

/** Milliseconds before another try to join; doubled each time. */
const FIRST_WAIT = 100;
const LONGEST_WAIT = 2000;
/** Milliseconds a broker may be busy with something else. */
const SHORTEST_SILENCE = 2000;

/** Stays a member of the group. The client joins, syncs, and keeps the session alive; this tells what became ours and what has to go. */
export class Membership {
  readonly #consumer: Consumer;
  readonly #options: KafkaDriverOptions;
  readonly #events: GroupEvents;
  /** What we were told of as ours, and was not revoked. */
  #held: readonly TopicPartition[] = [];
  /** The group said that it rebalances: what is taken away is ours until we have joined again. */
  #announced = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(consumer: Consumer, options: KafkaDriverOptions, events: GroupEvents) {
    this.#consumer = consumer;
    this.#options = options;
    this.#events = events;
    for (const topic of options.topics) consumer.topics.track(topic);
    consumer.on("consumer:group:rebalance", () => (this.#announced = true));
    consumer.on("consumer:group:join", () => this.#joined());
    consumer.on("consumer:heartbeat:start", () => this.#listen());
    for (const event of ["end", "error", "cancel"]) {
      consumer.on(`consumer:heartbeat:${event}`, () => clearTimeout(this.#silence));
    }
    // The client gives up coming back after some tries.
    consumer.on("error", (error: Error) => this.#failed(error));
  }

  /** @throws KafkaError if the group cannot be joined. */
  async join(): Promise<void> {
    try {
      await this.#join();
    } catch (error) {
      this.end();
      throw explain("joining the group", error);
    }
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
  }

  /** Who does not answer a sign of life is taken for gone: a connection may be dead without anybody having said so. */
  #listen(): void {
    clearTimeout(this.#silence);
    if (this.#ended) return;
    const wait = Math.max(SHORTEST_SILENCE, 2 * this.#options.heartbeatInterval);
    this.#silence = setTimeout(() => {
      for (const [, { socket }] of this.#consumer.connections) socket?.destroy();
    }, wait);
  }

  async #join(): Promise<void> {
    const { sessionTimeout, rebalanceTimeout, heartbeatInterval } = this.#options;
    await this.#consumer.joinGroup({
      sessionTimeout,
      rebalanceTimeout,
      heartbeatInterval,
      protocols: [{ name: "cooperative-sticky", version: 3 }],
      // Called before each try to join, and awaited: the only place where the client waits for what is to be given away.
      protocolsMetadata: () => this.#beforeJoin(),
    });
  }

  async #beforeJoin(): Promise<Buffer> {
    // Its answer was that there is something to join.
    clearTimeout(this.#silence);
    this.#events.joining();
    const owned = flatten(this.#consumer.assignments);
    if (this.#isFenced(owned)) await this.#giveUp();
    const kept = this.#held.filter((one) => owned.some((other) => isSame(one, other)));
    const gone = this.#held.filter((one) => !kept.includes(one));
    // Without an announcement the group has done without us.
    const lost = this.#consumer.memberId === null || !this.#announced;
    this.#announced = false;
    if (gone.length > 0) {
      await this.#events.revoked(gone, lost);
      this.#held = this.#held.filter((one) => !gone.includes(one));
    }
    const generation = Buffer.alloc(4);
    // Members of other makes read here since when we have owned what we own.
    generation.writeInt32BE(kept.length > 0 ? this.#consumer.generationId : -1);
    return generation;
  }

  /** Another process has come with our name: the client then forgets who it was, but not what it had, and would take it back. */
  #isFenced(owned: readonly TopicPartition[]): boolean {
    const named = this.#options.groupInstanceId !== undefined;
    return named && this.#consumer.memberId === null && owned.length > 0 && this.#held.length > 0;
  }

  async #giveUp(): Promise<never> {
    const gone = this.#held;
    this.#held = [];
    await this.#events.revoked(gone, true);
    throw new FencedError(
      "KAFKA_INSTANCE_FENCED",
      `Kafka: another process of the group has come with the \`groupInstanceId\` "${this.#options.groupInstanceId}", and has what this one had; give each its own`,
    );
  }

  #joined(): void {
    this.#failures = 0;
    const owned = flatten(this.#consumer.assignments);
    const added = owned.filter((one) => !this.#held.some((other) => isSame(one, other)));
    this.#held = [...this.#held, ...added];
    if (!this.#ended) this.#events.assigned(owned);
  }

  #failed(cause: Error): void {
    if (this.#ended) return;
    const error = explain("staying in the group", cause);
    if (isHopeless(error)) {
      this.#events.failed(error);
      return;
    }
    this.#events.troubled(error);
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#failures++);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => void this.#join().catch((again: Error) => this.#failed(again)),
      wait * (0.5 + Math.random() / 2),
    );
  }
}

function flatten(assignments: readonly Assignment[] | null): TopicPartition[] {
  return (assignments ?? []).flatMap(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  );
}

function isSame(one: TopicPartition, other: TopicPartition): boolean {
  return one.topic === other.topic && one.partition === other.partition;
}
