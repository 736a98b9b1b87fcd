/** What is to be done; every rival does the same, each in the way its own documentation recommends. */
export interface Job<Item = unknown, Out = unknown> {
  readonly items: readonly Item[];
  /** How many handlers may run at once. */
  readonly concurrency: number;
  /** Whether handlers are `async` functions or return a plain value. */
  readonly style: "sync" | "async";
  /** What an async handler waits for before its work. */
  readonly wait?: ((item: Item) => Promise<void>) | undefined;
  /** The handler's work; without a batch it ends at the sink. */
  readonly work: (item: Item) => Out;
  /** Groups what the handlers gave, for the sink. */
  readonly batch?: BatchJob<Out> | undefined;
  /** Items are JSON; Westend decodes them with its own decoder, and `work` does it for the others. */
  readonly json?: boolean | undefined;
}

export interface BatchJob<Out> {
  readonly size: number;
  readonly write: (batch: readonly Out[]) => void;
}

export interface Rival {
  readonly name: string;
  /** The npm package, for its version; none for what is written by hand. */
  readonly package?: string | undefined;
  /** Resolves when every item has been at the sink. */
  run(job: Job): Promise<void>;
}
