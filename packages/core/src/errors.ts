/** Every code of Westend's own errors. The code is what to test for: classes may be loaded twice, messages may be reworded. */
export type ErrorCode =
  | "WESTEND_ERR_CONFIGURATION"
  | "WESTEND_ERR_DECODE"
  | "WESTEND_ERR_UNKNOWN_BATCHER"
  | "WESTEND_ERR_HANDLER_RESULT"
  | "WESTEND_ERR_HANDLER_TIMEOUT"
  | "WESTEND_ERR_ATTEMPTS"
  | "WESTEND_ERR_PRODUCER"
  | "WESTEND_ERR_ACKNOWLEDGE"
  | "WESTEND_ERR_DEAD_LETTER"
  | "WESTEND_ERR_STAGE"
  | "WESTEND_ERR_SHUTDOWN_TIMEOUT"
  | "WESTEND_ERR_STOPPED";

/** The brand holds over two copies of this package in one process, where `instanceof` by prototype would not. */
const brandOf = (name: string): symbol => Symbol.for(`westend.${name}`);

/** `UnknownBatcherError` → `WESTEND_ERR_UNKNOWN_BATCHER`. */
const codeOf = (name: string): string =>
  `WESTEND_ERR${name.slice(0, -"Error".length).replace(/[A-Z]/g, "_$&").toUpperCase()}`;

/**
 * What all of Westend's own errors have in common. What a handler throws is never wrapped in one.
 * Their names are written out: minifiers rename classes, and the brands with them.
 */
export abstract class PipelineError extends Error {
  declare readonly code: ErrorCode;
  static override readonly name: string = "PipelineError";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    let type: { readonly name: string } = new.target;
    for (; type !== Error; type = Object.getPrototypeOf(type)) {
      // What users make of one of these has its code: the last class before this one decides.
      if (type !== PipelineError) (this as { code: string }).code = codeOf(type.name);
      Object.defineProperty(this, brandOf(type.name), { value: true });
    }
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return brandOf(this.name) in Object(value);
  }
}

/** One mistake in a set of options. */
export interface ConfigurationIssue {
  /** Where, as a user would write it: `batchers.events.size`. */
  readonly path: string;
  readonly expected: string;
  /** What came, described without its content where it may be secret. */
  readonly got: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
}

/** Options are wrong; lists every mistake at once. Thrown when a pipeline or a connector is defined. */
export class ConfigurationError extends PipelineError {
  declare readonly code: "WESTEND_ERR_CONFIGURATION";
  static override readonly name: string = "ConfigurationError";
  readonly issues: readonly ConfigurationIssue[];

  constructor(subject: string, issues: readonly ConfigurationIssue[]) {
    const lines = issues.map(
      ({ path, expected, got, hint }) =>
        `  ${path}: expected ${expected}, got ${got}${hint === undefined ? "" : `. ${hint}`}`,
    );
    const count = `${issues.length} mistake${issues.length === 1 ? "" : "s"}`;
    super([`${subject}: ${count}`, ...lines].join("\n"));
    this.issues = issues;
  }
}

/** Where a payload does not fit, in the words of Standard Schema. */
export interface DecodeIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** A payload does not fit its decoder. Never retried: it would not fit the next time. Its message never contains the payload. */
export class DecodeError extends PipelineError {
  declare readonly code: "WESTEND_ERR_DECODE";
  static override readonly name: string = "DecodeError";
  readonly issues: readonly DecodeIssue[];

  constructor(message: string, options?: ErrorOptions & { issues?: readonly DecodeIssue[] }) {
    super(message, options);
    this.issues = options?.issues ?? [];
  }
}

/** A message was routed to a batcher that is not there; only callers without type checks get here. */
export class UnknownBatcherError extends PipelineError {
  declare readonly code: "WESTEND_ERR_UNKNOWN_BATCHER";
  static override readonly name: string = "UnknownBatcherError";
}

/** A handler returned what it may not, or an option's function (`partitionBy`, `weight`, …) did. */
export class HandlerResultError extends PipelineError {
  declare readonly code: "WESTEND_ERR_HANDLER_RESULT";
  static override readonly name: string = "HandlerResultError";
}

/** A handler took longer than its timeout; its signal was aborted with this error. */
export class HandlerTimeoutError extends PipelineError {
  declare readonly code: "WESTEND_ERR_HANDLER_TIMEOUT";
  static override readonly name: string = "HandlerTimeoutError";
}

/** The source has delivered a message more often than its policy allows: handling it may have killed the process each time. */
export class AttemptsError extends PipelineError {
  declare readonly code: "WESTEND_ERR_ATTEMPTS";
  static override readonly name: string = "AttemptsError";
}

/** A source could not be opened or read, or broke its contract, more often than the restart budget allows. */
export class ProducerError extends PipelineError {
  declare readonly code: "WESTEND_ERR_PRODUCER";
  static override readonly name: string = "ProducerError";
}

/** A source refused acknowledgements for good; it will send those messages again. Reported, never fatal. */
export class AcknowledgeError extends PipelineError {
  declare readonly code: "WESTEND_ERR_ACKNOWLEDGE";
  static override readonly name: string = "AcknowledgeError";
  /** How many messages the source refused. */
  readonly count: number;

  constructor(message: string, options: ErrorOptions & { count: number }) {
    super(message, options);
    this.count = options.count;
  }
}

/** A dead letter could not be written; its message stays unacknowledged and the write is tried again. */
export class DeadLetterError extends PipelineError {
  declare readonly code: "WESTEND_ERR_DEAD_LETTER";
  static override readonly name: string = "DeadLetterError";
}

/** A stage of the runtime crashed more often than the restart budget allows. */
export class StageError extends PipelineError {
  declare readonly code: "WESTEND_ERR_STAGE";
  static override readonly name: string = "StageError";
}

/** The drain deadline passed; the reason on the signal of what was still running. */
export class ShutdownTimeoutError extends PipelineError {
  declare readonly code: "WESTEND_ERR_SHUTDOWN_TIMEOUT";
  static override readonly name: string = "ShutdownTimeoutError";
  /** How many messages were still in flight. */
  readonly inFlight: number;

  constructor(message: string, options: { inFlight: number }) {
    super(message);
    this.inFlight = options.inFlight;
  }
}

/** The pipeline takes nothing any more: it was stopped, it ended, or it died. */
export class StoppedError extends PipelineError {
  declare readonly code: "WESTEND_ERR_STOPPED";
  static override readonly name: string = "StoppedError";
}
