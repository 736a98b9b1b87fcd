import type { BatchTrigger, EmittedBatch } from "../batch.ts";
import type { Clock } from "../clock.ts";
import { HandlerResultError } from "../errors.ts";
import type { PartitionKey, RoutedMessage } from "../message.ts";
import { Alarm } from "./alarm.ts";

export interface BatcherStageOptions {
  readonly clock: Clock;
  readonly name: string;
  readonly size: number;
  readonly bytes: number | undefined;
  /** Milliseconds a message may wait for its batch to fill. */
  readonly timeout: number;
  weight: ((message: RoutedMessage) => number) | undefined;
  splitBy: (() => (message: RoutedMessage) => boolean) | undefined;
  sizeOf(message: RoutedMessage): number;
  emit(batch: EmittedBatch): void;
  /** A message that cannot be batched, because an option's function threw or gave nonsense. */
  failed(message: RoutedMessage, error: unknown): void;
  crashed(error: unknown): void;
}

interface OpenBatch {
  readonly key: PartitionKey | undefined;
  readonly messages: RoutedMessage[];
  readonly at: number;
  split: ((message: RoutedMessage) => boolean) | undefined;
  weight: number;
  bytes: number;
}

/** Groups messages by batch key until a batch is full, old enough, or flushed. */
export class BatcherStage {
  readonly #options: BatcherStageOptions;
  #size: number;
  readonly #bytes: number;
  #timeout: number;
  /** In order of opening: with one timeout for all, the first is the first to expire. */
  readonly #open = new Map<PartitionKey | undefined, OpenBatch>();
  /** The batch begun last: without batch keys, the only one. */
  #latest: OpenBatch | undefined;
  readonly #alarm: Alarm;
  /** Messages in open batches. */
  waiting: number = 0;

  constructor(options: BatcherStageOptions) {
    this.#options = options;
    this.#size = options.size;
    this.#bytes = options.bytes ?? Infinity;
    this.#timeout = options.timeout;
    this.#alarm = new Alarm(options.clock, () => this.#expire());
  }

  push(message: RoutedMessage): void {
    const key = message.options?.key;
    const { sizeOf, weight: weigh, splitBy, failed } = this.#options;
    let weight = 1;
    let bytes: number;
    try {
      bytes = this.#amount("size", sizeOf(message));
      if (weigh !== undefined) weight = this.#amount("weight", weigh(message));
    } catch (error) {
      failed(message, error);
      return;
    }
    let open = this.#find(key);
    // A batch that is emitted may bring more messages here before `#end` returns.
    while (open !== undefined && this.#overflows(open, weight, bytes)) {
      this.#end(open, open.bytes + bytes > this.#bytes ? "bytes" : "size");
      open = this.#find(key);
    }
    open ??= this.#begin(key);
    const split = splitBy === undefined ? false : this.#split(open, message);
    if (split === undefined) return;
    // The user's function may have ended the very batch it was asked about.
    if (splitBy !== undefined && this.#find(key) !== open) open = this.#begin(key);
    open.messages.push(message);
    open.weight += weight;
    open.bytes += bytes;
    this.waiting++;
    if (open.weight >= this.#size) this.#end(open, "size");
    else if (open.bytes >= this.#bytes) this.#end(open, "bytes");
    else if (split) this.#end(open, "split");
    else if (message.options?.flush === true) this.#end(open, "flush");
    else if (!this.#alarm.isSet) this.#arm();
  }

  /** Changes limits; batches that are full by the new ones are emitted. */
  resize(size: number, timeout: number): void {
    this.#size = size;
    this.#timeout = timeout;
    for (const open of [...this.#open.values()]) {
      if (open.weight >= size) this.#end(open, "size");
    }
    this.#alarm.clear();
    this.#arm();
  }

  /** Emits the open batch that has waited longest. */
  flushOldest(): void {
    const [oldest] = this.#open.values();
    if (oldest !== undefined) this.#end(oldest, "flush");
  }

  /** Emits whatever is waiting; called once upstream has ended. */
  drain(): void {
    for (const open of [...this.#open.values()]) this.#end(open, "flush");
    this.#alarm.clear();
  }

  /** Forgets whatever is waiting. */
  kill(): void {
    this.#open.clear();
    this.#latest = undefined;
    this.waiting = 0;
    this.#alarm.clear();
  }

  #find(key: PartitionKey | undefined): OpenBatch | undefined {
    const latest = this.#latest;
    return latest !== undefined && latest.key === key ? latest : this.#open.get(key);
  }

  #amount(what: string, value: number): number {
    if (Number.isFinite(value) && value >= 0) return value;
    throw new HandlerResultError(
      `batchers.${this.#options.name}: expected a finite number ≥ 0 as ${what} of a message, got ${String(value)}.`,
    );
  }

  /** Undefined if the message has failed for it. */
  #split(open: OpenBatch, message: RoutedMessage): boolean | undefined {
    try {
      open.split ??= this.#options.splitBy?.();
      return open.split?.(message) === true;
    } catch (error) {
      if (open.messages.length === 0) this.#forget(open);
      this.#options.failed(message, error);
      return undefined;
    }
  }

  /** A batch never exceeds its limits, unless a single message does. */
  #overflows(open: OpenBatch, weight: number, bytes: number): boolean {
    return open.weight + weight > this.#size || open.bytes + bytes > this.#bytes;
  }

  #begin(key: PartitionKey | undefined): OpenBatch {
    const at = this.#options.clock.now();
    const open: OpenBatch = { key, messages: [], at, split: undefined, weight: 0, bytes: 0 };
    this.#open.set(key, open);
    this.#latest = open;
    return open;
  }

  #forget(open: OpenBatch): void {
    this.#open.delete(open.key);
    if (this.#latest === open) this.#latest = undefined;
  }

  #end(open: OpenBatch, trigger: BatchTrigger): void {
    const { key, messages, bytes } = open;
    // It may have ended meanwhile, by what followed from the batch emitted before it.
    if (this.#open.get(key) !== open) return;
    this.#forget(open);
    this.waiting -= messages.length;
    const size = messages.length;
    const batcher = this.#options.name;
    this.#options.emit({
      messages,
      info: { batcher, key, partition: undefined, size, bytes, trigger, attempt: 1 },
    });
  }

  #arm(): void {
    const [oldest] = this.#open.values();
    if (oldest === undefined) return;
    this.#alarm.set(oldest.at + this.#timeout - this.#options.clock.now());
  }

  #expire(): void {
    try {
      // Node's timers may come a fraction of a millisecond early.
      const latest = this.#options.clock.now() - this.#timeout + 1;
      for (const open of [...this.#open.values()]) {
        if (open.at > latest) break;
        this.#end(open, "timeout");
      }
      if (!this.#alarm.isSet) this.#arm();
    } catch (crash) {
      this.#options.crashed(crash);
    }
  }
}
