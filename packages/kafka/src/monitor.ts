import type { ProducerContext, Timer } from "westend";
import { KafkaError } from "./errors.ts";
import type { PartitionStats } from "./stats.ts";

/** Milliseconds between looks. */
const INTERVAL = 1000;
/** Looks between two reports of the lag. */
const REPORT = 10;

export interface MonitorOptions {
  readonly context: ProducerContext;
  readonly sessionTimeout: number;
  readonly progressTimeout: number;
  partitions(): readonly PartitionStats[];
  /** Asks how long partitions are by now that are not being fetched. */
  refresh(): void;
}

/** Notices what would otherwise be silence: a blocked event loop, and work that does not get on. */
export class Monitor {
  readonly #options: MonitorOptions;
  #timer: Timer | undefined;
  #looked = 0;
  #looks = 0;
  /** When something ended last, or there was nothing to do. */
  #progress = 0;
  ready: boolean = true;

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#looked = this.#progress = this.#options.context.clock.now();
    this.#look();
  }

  progressed(messages: number): void {
    if (messages === 0) return;
    this.#progress = this.#options.context.clock.now();
  }

  end(): void {
    if (this.#timer !== undefined) this.#options.context.clock.clearTimer(this.#timer);
  }

  #look(): void {
    const { context } = this.#options;
    this.#timer = context.clock.setTimer(() => {
      const now = context.clock.now();
      this.#lookAtLoop(now - this.#looked - INTERVAL);
      this.#looked = now;
      const partitions = this.#options.partitions();
      this.#lookAtProgress(now, partitions);
      if (++this.#looks % REPORT === 0 && partitions.length > 0) {
        this.#options.refresh();
        context.telemetry("lag", { partitions: partitions.map(brief) });
      }
      this.#look();
    }, INTERVAL);
  }

  #lookAtLoop(blocked: number): void {
    const { context, sessionTimeout } = this.#options;
    if (blocked < sessionTimeout) return;
    const error = new KafkaError(
      "KAFKA_EVENT_LOOP_BLOCKED",
      `Kafka: the event loop was blocked for ${Math.round(blocked)} ms, longer than sessionTimeout (${sessionTimeout} ms). The group has given the partitions of this member to others, and what it did meanwhile is done again. Run long computations in a worker thread`,
    );
    context.telemetry("eventLoopBlocked", { blocked, error });
  }

  #lookAtProgress(now: number, partitions: readonly PartitionStats[]): void {
    const { context, progressTimeout } = this.#options;
    const waiting = partitions.filter(({ lag, paused, delayed }) => lag > 0 && !paused && !delayed);
    if (waiting.length === 0) this.#progress = now;
    const ready = now - this.#progress < progressTimeout;
    if (ready === this.ready) return;
    this.ready = ready;
    if (ready) context.telemetry("progressing", {});
    else
      context.telemetry("stalled", { since: now - this.#progress, partitions: waiting.map(brief) });
  }
}

function brief({
  topic,
  partition,
  lag,
  inFlight,
  oldestAge,
  oldestOffset,
}: PartitionStats): object {
  return { topic, partition, lag, inFlight, oldestAge, oldestOffset };
}
