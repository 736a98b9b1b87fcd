import {
  advised,
  boolean,
  type Checker,
  check,
  either,
  func,
  integer,
  isArray,
  isObject,
  number,
  object,
  oneOf,
  optional,
  ownKeys,
  read,
  record,
  satisfying,
  shaped,
  type Site,
  string,
  whole,
} from "./options.ts";
import { backoff, retryShape } from "./retry.ts";
import { isKey, KEY } from "./topology/partition-key.ts";

const count = integer({ min: 1 });
const milliseconds = integer({ min: 1 });
const concurrency = integer({ min: 1, max: 100_000 });
const name = string({ nonEmpty: true });

const retry = advised(
  "Make one with retry({ attempts }).",
  retryShape((checker) => checker),
);

const rateLimit = object({ messages: count, interval: milliseconds, burst: optional(count) });

const producer = shaped({ name, open: func }, "a producer");

const source = either(
  (value) => "producer" in (value as object) && !("open" in (value as object)),
  object({
    producer,
    concurrency: optional(concurrency),
    weight: optional(number({ above: 0 })),
    rateLimit: optional(rateLimit),
  }),
  producer,
);

const processor = object({
  concurrency: optional(concurrency),
  partitionBy: optional(func),
  retry: optional(retry),
  timeout: optional(milliseconds),
  prepare: optional(func),
  handle: func,
});

const batcher = object({
  size: optional(count),
  bytes: optional(count),
  weight: optional(func),
  timeout: optional(milliseconds),
  splitBy: optional(func),
  partitionBy: optional(func),
  concurrency: optional(concurrency),
  retry: optional(retry),
  bisect: optional(boolean),
  handleTimeout: optional(milliseconds),
  handle: func,
});

const pipeline: Checker = object(
  {
    name: satisfying(
      "1 to 128 printable characters",
      (value) => typeof value === "string" && /^\P{Cc}{1,128}$/u.test(value),
    ),
    producer: optional(source),
    producers: optional(record(source, { nonEmpty: true })),
    decoder: optional(
      advised(
        "Make one with json(), text() or schema().",
        shaped({ name, decode: func }, "a decoder"),
      ),
    ),
    processor,
    batchers: optional(record(batcher)),
    deadLetter: optional(
      shaped(
        { name, write: func, open: optional(func), close: optional(func) },
        "a dead-letter sink",
      ),
    ),
    onFailed: optional(func),
    rateLimit: optional(rateLimit),
    maxInFlight: optional(count),
    maxBytes: optional(count),
    restart: optional(
      object({
        max: optional(integer({ min: 0 })),
        within: optional(milliseconds),
        backoff: optional(backoff),
      }),
    ),
    shutdown: optional(object({ timeout: optional(integer({ min: 0 })) })),
  },
  {
    also(options, site) {
      requireSources(options, site);
      requireDeadLetter(options, site);
    },
  },
);

/**
 * Checks the options of `definePipeline`, all of them at once.
 * @throws ConfigurationError that lists every mistake.
 */
export function checkPipelineOptions(options: unknown): void {
  check("definePipeline", options, pipeline);
}

function requireSources(options: object, site: Site): void {
  const one = read(options, "producer");
  const several = read(options, "producers");
  if ((one === undefined) === (several === undefined)) {
    const got = one === undefined ? "neither" : "both";
    site.at("producer").mistakeInWords("either producer or producers", got);
  }
  const sources = entriesOf(several ?? { one });
  // What is pushed from code comes from a source of this name.
  const named = read(read(one, "producer") ?? one, "name") === "push";
  if (named || sources.some(([key]) => key === "push")) {
    const at = named ? site.at("producer").at("name") : site.at("producers").at("push");
    at.mistakeInWords("another name", "the one of push()");
  }
  const sessions = sources.reduce((sum, [, source]) => {
    const concurrency = read(source, "concurrency");
    return sum + (Number.isSafeInteger(concurrency) ? (concurrency as number) : 1);
  }, 0);
  const maxInFlight = read(options, "maxInFlight") as number;
  if (maxInFlight >= 1 && maxInFlight < sessions) {
    const expected = `at least ${sessions}, one for each session`;
    site.at("maxInFlight").mistake(expected, maxInFlight);
  }
}

function requireDeadLetter(options: object, site: Site): void {
  if (read(options, "deadLetter") !== undefined) return;
  const batchers = site.at("batchers");
  requireNoDeadLetter(read(options, "processor"), site.at("processor"));
  for (const [key, batcher] of entriesOf(read(options, "batchers"))) {
    requireNoDeadLetter(batcher, batchers.at(key));
  }
}

function requireNoDeadLetter(stage: unknown, site: Site): void {
  const action = read(read(stage, "retry"), "whenExhausted");
  if (action !== "deadLetter") return;
  const hint = "Or add deadLetter: … to the pipeline.";
  site.at("retry").at("whenExhausted").mistake('"fail" or "hold" or "stop"', action, hint);
}

function entriesOf(value: unknown): (readonly [key: string, value: unknown])[] {
  return isObject(value) ? ownKeys(value).map((key) => [key, read(value, key)] as const) : [];
}

/**
 * Checks the limits given to `running.update`, all of them at once. Each session needs room for a message.
 * @throws ConfigurationError that lists every mistake.
 */
export function checkUpdate(changes: unknown, batchers: readonly string[], sessions = 1): void {
  const limits = optional(
    object({
      size: optional(count),
      timeout: optional(milliseconds),
      concurrency: optional(concurrency),
    }),
  );
  check(
    "update",
    changes,
    object({
      processor: optional(object({ concurrency: optional(concurrency) })),
      batchers: optional(object(Object.fromEntries(batchers.map((key) => [key, limits])))),
      rateLimit: optional(either((value) => value === null, oneOf(null), rateLimit)),
      maxInFlight: optional(integer({ min: sessions })),
    }),
  );
}

/** What `stop` is given. What is left until a deadline may be a fraction, or over. */
export const stopping: Checker = optional(object({ timeout: optional(number({ finite: false })) }));

/** What `push` is given. Payloads are not shown: they may be somebody's data. */
export const pushed: Checker = object({
  payloads: advised("Put a single one into an array: push([payload]).", whole("an array", isArray)),
  options: optional(
    object({
      key: whole(KEY, isKey),
      metadata: satisfying("anything", () => true),
    }),
  ),
});
