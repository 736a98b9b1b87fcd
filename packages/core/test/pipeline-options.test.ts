import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../src/errors.ts";
import { checkPipelineOptions } from "../src/pipeline-options.ts";

type Tree = Record<string, any>;

const source = (): Tree => ({ name: "memory", open() {} });
const policy = (more: Tree = {}): Tree => ({
  attempts: 5,
  backoff: { delay: () => 100 },
  when: undefined,
  whenExhausted: undefined,
  budget: { ratio: 0.1, perSecond: 10 },
  ...more,
});
const least = (more: Tree = {}): Tree => ({
  name: "events",
  producer: source(),
  processor: { handle() {} },
  ...more,
});
const withProcessor = (more: Tree): Tree => least({ processor: { handle() {}, ...more } });
const withBatcher = (more: Tree): Tree => least({ batchers: { events: { handle() {}, ...more } } });

const everything = (): Tree => ({
  name: "events",
  producers: {
    a: source(),
    b: { producer: source(), concurrency: 2, weight: 0.5, rateLimit: { messages: 1, interval: 1 } },
  },
  decoder: { name: "json", decode() {} },
  processor: {
    concurrency: 100_000,
    partitionBy() {},
    retry: policy({ attempts: Infinity, whenExhausted: "deadLetter" }),
    timeout: 1,
    prepare() {},
    handle() {},
  },
  batchers: {
    events: {
      size: 1,
      bytes: 1,
      weight() {},
      timeout: 1,
      splitBy() {},
      partitionBy() {},
      concurrency: 1,
      retry: policy({ when() {} }),
      bisect: true,
      handleTimeout: 1,
      handle() {},
    },
  },
  deadLetter: { name: "dlq", write() {}, open() {}, close() {} },
  onFailed() {},
  rateLimit: { messages: 10, interval: 1_000, burst: 20 },
  maxInFlight: 3,
  maxBytes: 1,
  restart: { max: 0, within: 1, backoff: { delay: () => 1 } },
  shutdown: { timeout: 0 },
});

function thrown(options: unknown): ConfigurationError | undefined {
  try {
    checkPipelineOptions(options);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
}

function mistakes(options: unknown): string[] {
  const [, ...lines] = thrown(options)?.message.split("\n") ?? [];
  return lines.map((line) => line.trim());
}

describe("the options of a pipeline", () => {
  it("may be the least there can be", () => {
    expect(mistakes(least())).toEqual([]);
  });

  it("may be everything there is", () => {
    expect(mistakes(everything())).toEqual([]);
  });

  it("may be undefined where they are optional", () => {
    const all = everything();
    const blank = (tree: Tree): Tree =>
      Object.fromEntries(Object.keys(tree).map((key) => [key, undefined]));
    expect(
      mistakes({
        ...blank(all),
        ...least({ batchers: { a: { ...blank(all["batchers"].events), handle() {} } } }),
      }),
    ).toEqual([]);
  });

  it("may be instances of classes where they are objects with methods", () => {
    class Source {
      readonly name = "own";
      #client = 1;
      logger = {};
      open(): number {
        return this.#client;
      }
    }
    expect(mistakes(least({ producer: new Source() }))).toEqual([]);
  });

  it.each([undefined, null, 1, [], "x", () => {}])("are an object, not %s", (options) => {
    expect(mistakes(options)).toEqual([
      expect.stringMatching(/^options: expected an object, got /),
    ]);
  });

  it("are all checked at once", () => {
    expect(
      mistakes({ name: "", processor: { concurrency: 0 }, batchers: { a: { size: -1 } } }),
    ).toEqual([
      'name: expected 1 to 128 printable characters, got ""',
      "processor.concurrency: expected an integer ≥ 1 and ≤ 100000, got 0",
      "processor.handle: expected a function, got undefined",
      "batchers.a.size: expected an integer ≥ 1, got -1",
      "batchers.a.handle: expected a function, got undefined",
      "producer: expected either producer or producers, got neither",
    ]);
  });

  it.each([
    ["name", least({ name: "x".repeat(129) })],
    ["name", least({ name: "a\nb" })],
    ["name", least({ name: "\u009b31m" })],
    ["producer", least({ producer: undefined })],
    ["producer", least({ producers: { a: source() } })],
    ["producer", least({ producer: () => source() })],
    ["producer", least({ producer: "kafka" })],
    ["producer.open", least({ producer: { name: "x" } })],
    ["producer.name", least({ producer: { name: "", open() {} } })],
    ["producer.producer.open", least({ producer: { producer: { name: "x" } } })],
    ["producer.concurrency", least({ producer: { producer: source(), concurrency: 0 } })],
    ["producer.weight", least({ producer: { producer: source(), weight: 0 } })],
    ["producer.weight", least({ producer: { producer: source(), weight: Infinity } })],
    [
      "producer.rateLimit.messages",
      least({ producer: { producer: source(), rateLimit: { interval: 1 } } }),
    ],
    ["producers", least({ producer: undefined, producers: {} })],
    ["producers.a", least({ producer: undefined, producers: { a: null } })],
    [
      "producers.a.weight",
      least({ producer: undefined, producers: { a: { producer: source(), weight: -1 } } }),
    ],
    ["decoder", least({ decoder: () => {} })],
    ["decoder.decode", least({ decoder: { name: "x" } })],
    ["processor", least({ processor: undefined })],
    ["processor.concurrency", withProcessor({ concurrency: 100_001 })],
    ["processor.partitionBy", withProcessor({ partitionBy: "userId" })],
    ["processor.timeout", withProcessor({ timeout: 0 })],
    ["processor.prepare", withProcessor({ prepare: 1 })],
    ["processor.handle", withProcessor({ handle: 1 })],
    ["processor.retry.attempts", withProcessor({ retry: policy({ attempts: 0 }) })],
    ["processor.retry.attempts", withProcessor({ retry: policy({ attempts: 1.5 }) })],
    ["processor.retry.backoff", withProcessor({ retry: policy({ backoff: 100 }) })],
    ["processor.retry.backoff.delay", withProcessor({ retry: policy({ backoff: {} }) })],
    ["processor.retry.when", withProcessor({ retry: policy({ when: true }) })],
    ["processor.retry.whenExhausted", withProcessor({ retry: policy({ whenExhausted: "drop" }) })],
    [
      "processor.retry.budget.ratio",
      withProcessor({ retry: policy({ budget: { ratio: -1, perSecond: 1 } }) }),
    ],
    ["batchers", least({ batchers: [] })],
    ["batchers.a", least({ batchers: { a: () => {} } })],
    ["batchers.events.size", withBatcher({ size: 0 })],
    ["batchers.events.bytes", withBatcher({ bytes: 0.5 })],
    ["batchers.events.weight", withBatcher({ weight: 1 })],
    ["batchers.events.timeout", withBatcher({ timeout: 0 })],
    ["batchers.events.splitBy", withBatcher({ splitBy: "x" })],
    ["batchers.events.partitionBy", withBatcher({ partitionBy: {} })],
    ["batchers.events.concurrency", withBatcher({ concurrency: NaN })],
    ["batchers.events.retry", withBatcher({ retry: 3 })],
    ["batchers.events.bisect", withBatcher({ bisect: "yes" })],
    ["batchers.events.handleTimeout", withBatcher({ handleTimeout: -1 })],
    ["batchers.events.handle", withBatcher({ handle: undefined })],
    ["deadLetter.write", least({ deadLetter: { name: "x" } })],
    ["deadLetter.close", least({ deadLetter: { name: "x", write() {}, close: 1 } })],
    ["onFailed", least({ onFailed: true })],
    ["rateLimit.interval", least({ rateLimit: { messages: 1 } })],
    ["rateLimit.burst", least({ rateLimit: { messages: 1, interval: 1, burst: 0 } })],
    ["maxInFlight", least({ maxInFlight: 0 })],
    ["maxBytes", least({ maxBytes: -1 })],
    ["restart.max", least({ restart: { max: -1 } })],
    ["restart.within", least({ restart: { within: 0 } })],
    ["restart.backoff.delay", least({ restart: { backoff: {} } })],
    ["shutdown.timeout", least({ shutdown: { timeout: "30s" } })],
  ])("are refused at %s alone %#", (path, options) => {
    expect(mistakes(options)).toEqual([
      expect.stringMatching(new RegExp(`^${path.replaceAll(".", "\\.")}: `)),
    ]);
  });

  it.each([
    ["", least({ extra: 1 })],
    ["processor.", withProcessor({ extra: 1 })],
    ["processor.retry.", withProcessor({ retry: policy({ extra: 1 }) })],
    [
      "processor.retry.budget.",
      withProcessor({ retry: policy({ budget: { ratio: 1, perSecond: 1, extra: 1 } }) }),
    ],
    ["batchers.events.", withBatcher({ extra: 1 })],
    ["producer.", least({ producer: { producer: source(), extra: 1 } })],
    ["rateLimit.", least({ rateLimit: { messages: 1, interval: 1, extra: 1 } })],
    ["restart.", least({ restart: { extra: 1 } })],
    ["shutdown.", least({ shutdown: { extra: 1 } })],
  ])("may have no unknown key at %sextra", (path, options) => {
    expect(mistakes(options)).toEqual([expect.stringContaining(`${path}extra: expected one of `)]);
  });

  it("leave the name push to what is pushed", () => {
    const push = { ...source(), name: "push" };
    const producer = "producer.name: expected another name, got the one of push()";
    expect(mistakes(least({ producer: push }))).toEqual([producer]);
    expect(mistakes(least({ producer: { producer: push } }))).toEqual([producer]);
    expect(mistakes(least({ producer: undefined, producers: { push: source() } }))).toEqual([
      "producers.push: expected another name, got the one of push()",
    ]);
    expect(mistakes(least({ producer: undefined, producers: { pushed: push } }))).toEqual([]);
  });

  it("need room in flight for every session", () => {
    const producers = { a: source(), b: { producer: source(), concurrency: 3 } };
    expect(mistakes(least({ producer: undefined, producers, maxInFlight: 4 }))).toEqual([]);
    expect(mistakes(least({ producer: undefined, producers, maxInFlight: 3 }))).toEqual([
      "maxInFlight: expected at least 4, one for each session, got 3",
    ]);
  });

  it.each([
    ["processor.retry", withProcessor({ retry: policy({ whenExhausted: "deadLetter" }) })],
    ["batchers.events.retry", withBatcher({ retry: policy({ whenExhausted: "deadLetter" }) })],
  ])("need a dead-letter sink where %s wants one", (path, options) => {
    expect(mistakes(options)).toEqual([
      `${path}.whenExhausted: expected "fail" or "hold" or "stop", got "deadLetter". Or add deadLetter: … to the pipeline.`,
    ]);
    expect(mistakes({ ...options, deadLetter: { name: "dlq", write() {} } })).toEqual([]);
  });

  it.each([
    [withBatcher({ batchSize: 10 }), "batchers.events.batchSize: .*Did you mean size?"],
    [withBatcher({ batch_timeout: 10 }), "Did you mean timeout?"],
    [withProcessor({ handleMessage() {} }), "Did you mean handle?"],
    [withProcessor({ partition_by() {} }), "Did you mean partitionBy?"],
    [least({ processors: {} }), "Did you mean processor?"],
    [withBatcher({ handle_batch() {} }), "Did you mean handle?"],
    [least({ rateLimiting: {} }), "Did you mean rateLimit?"],
    [withProcessor({ retry: { attempts: 5 } }), "Make one with retry\\(\\{ attempts \\}\\)."],
    [least({ decoder: () => {} }), "Make one with json\\(\\), text\\(\\) or schema\\(\\)."],
  ])("answer habits from elsewhere with a hint %#", (options, hint) => {
    const said = mistakes(options).join("\n");
    expect(said).toMatch(new RegExp(hint.replace(/\?$/, "\\?")));
  });

  it("show no secret in what is thrown", () => {
    const secret = "hunter2";
    const url = `amqp://user:${secret}@host`;
    const producer = { producer: { name: "x", open: url }, password: secret };
    const error = thrown(least({ producer, onFailed: url, token: secret }));
    expect(error?.issues).toHaveLength(4);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret);
  });

  it("are not changed by the check", () => {
    const frozen = (tree: Tree): Tree => {
      for (const value of Object.values(tree))
        if (typeof value === "object" && value !== null) frozen(value);
      return Object.freeze(tree);
    };
    expect(mistakes(frozen(everything()))).toEqual([]);
  });
});
