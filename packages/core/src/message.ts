/** What a message is ordered by: one message of a key runs at a time, in order of arrival. */
export type PartitionKey = string | number | bigint;

declare const routed: unique symbol;

/** A message on its way to the batcher called `Batcher`; made by {@link Message.to}, returned by a processor. */
export interface Routed<Batcher extends string, Data> {
  readonly [routed]: { readonly batcher: Batcher; readonly data: Data };
}

/** Distributes over a union of names, so that `to(condition ? "a" : "b")` is a route to either. */
export type RoutedTo<Batcher extends string, Data> = Batcher extends string
  ? Routed<Batcher, Data>
  : never;

export interface RouteOptions {
  /** Messages of different batch keys never share a batch. */
  readonly key?: PartitionKey | undefined;
  /** Emits the batch as soon as this message is in it. */
  readonly flush?: boolean | undefined;
  /**
   * Bytes this message adds to its batch.
   * @defaultValue the length of the data if it is a string or bytes, else the size of the source's payload
   */
  readonly size?: number | undefined;
}

declare const acknowledgement: unique symbol;

/** Metadata of a connector whose messages can be acknowledged in several ways; types `configureAck`. */
export interface Configurable<Options> {
  readonly [acknowledgement]?: Options;
}

/** What `configureAck` accepts for messages with this metadata; nothing, if it is not {@link Configurable}. */
export type AckOptions<Metadata> =
  // Not by `keyof`: that would make messages invariant in their metadata. What fits without the mark gives unknown.
  Metadata extends Configurable<infer Options>
    ? unknown extends Options
      ? never
      : Options
    : never;

/**
 * What the runtime knows about a message's stay in the pipeline, from receipt to settlement.
 * @internal
 */
export interface Origin {
  readonly incoming: { readonly metadata: unknown };
  readonly source: string;
  readonly receivedAt: number;
  readonly key: PartitionKey | undefined;
  acknowledgeNow(): Promise<void>;
  configureAck(options: unknown): void;
}

/** @internal */
export type Verdict = "failed" | "dropped" | undefined;

/** One message on its way through a pipeline, as one attempt of a handler sees it. */
export class Message<Data, Metadata = unknown> {
  /** What the source sent, decoded; in a batch, what the processor routed. */
  readonly data: Data;
  /** 1 at the first attempt; counts on over restarts where the source counts deliveries. */
  readonly attempt: number;
  /** @internal */
  readonly origin: Origin;
  /** @internal */
  verdict: Verdict = undefined;
  /** @internal */
  reason: unknown = undefined;

  /** @internal */
  constructor(data: Data, attempt: number, origin: Origin) {
    this.data = data;
    this.attempt = attempt;
    this.origin = origin;
  }

  /** What the source says about the message besides its payload. */
  get metadata(): Metadata {
    return this.origin.incoming.metadata as Metadata;
  }

  /** What the message is ordered by, if by anything. */
  get key(): PartitionKey | undefined {
    return this.origin.key;
  }

  /** When the pipeline took the message from its source, in milliseconds since the Unix epoch. */
  get receivedAt(): number {
    return this.origin.receivedAt;
  }

  /** The name of the producer it came from. */
  get source(): string {
    return this.origin.source;
  }

  // A new message, not a changed one: `onFailed` and further attempts see the original data, with an honest type.
  /**
   * A new message on its way to a batcher; return it, or several of them, from `handle`.
   * The source is told once every one of them has settled.
   */
  to<Batcher extends string>(batcher: Batcher): RoutedTo<Batcher, Data>;
  to<Batcher extends string, Out>(
    batcher: Batcher,
    data: Out,
    options?: RouteOptions,
  ): RoutedTo<Batcher, Out>;
  to(batcher: string, data?: unknown, options?: RouteOptions): unknown {
    // `to("batcher", undefined)` sends undefined, `to("batcher")` what the message carries.
    const sent = arguments.length < 2 ? this.data : data;
    return new RoutedMessage(sent, this.attempt, this.origin, batcher, options);
  }

  /** Fails this message with a reason, as if its handler had thrown it; in a batch it fails this message alone. */
  fail(reason: unknown): void {
    this.verdict = "failed";
    this.reason = reason;
  }

  /** Ends this message on purpose: it is acknowledged, and counted as dropped. */
  drop(reason: unknown): void {
    this.verdict = "dropped";
    this.reason = reason;
  }

  /**
   * Acknowledges to the source now instead of at the end; whatever comes later, the source will not send it again.
   * Resolves when the source has taken it, rejects when it refused. Means nothing to what was pushed: who did is told of its end.
   */
  ackNow(): Promise<void> {
    return this.origin.acknowledgeNow();
  }

  /** Changes what the connector does when this message succeeds or fails; what is possible, the connector's metadata says. */
  configureAck(options: AckOptions<Metadata>): void {
    this.origin.configureAck(options);
  }
}

/** Shows no payload, key or metadata: messages end up in logs. */
Object.defineProperty(Message.prototype, Symbol.for("nodejs.util.inspect.custom"), {
  value(this: Message<unknown>): string {
    return `${this.constructor.name} { source: '${this.source}', attempt: ${this.attempt} }`;
  },
});

/**
 * A message inside a batcher: one branch of the message it was made from.
 * @internal
 */
export interface RoutedMessage extends Message<unknown> {
  readonly batcher: string;
  readonly options: RouteOptions | undefined;
  /** What its batch processor is ordered by. */
  partition: PartitionKey | undefined;
  /** Where this branch stands; only the ledger changes it. */
  state: number;
}

// It is a `Message`, but not by `extends`: a constructor that calls `super` is not compiled into its callers, which doubles what a route costs.
/** @internal */
export const RoutedMessage = class {
  readonly data: unknown;
  readonly attempt: number;
  readonly origin: Origin;
  readonly batcher: string;
  readonly options: RouteOptions | undefined;
  verdict: Verdict = undefined;
  reason: unknown = undefined;
  partition: PartitionKey | undefined = undefined;
  state: number = 0;

  constructor(
    data: unknown,
    attempt: number,
    origin: Origin,
    batcher: string,
    options: RouteOptions | undefined,
  ) {
    this.data = data;
    this.attempt = attempt;
    this.origin = origin;
    this.batcher = batcher;
    // A copy: a handler may use one object for many routes.
    this.options = options && { key: options.key, flush: options.flush, size: options.size };
  }
} as new (
  data: unknown,
  attempt: number,
  origin: Origin,
  batcher: string,
  options: RouteOptions | undefined,
) => RoutedMessage;

Object.setPrototypeOf(RoutedMessage.prototype, Message.prototype);
// Of what an async handler returns, the promise asks for `then`: found here, it is not searched in all prototypes.
// oxlint-disable-next-line unicorn/no-thenable
Object.defineProperty(RoutedMessage.prototype, "then", { value: undefined });
