import { channel } from "node:diagnostics_channel";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as westend from "westend";
import type { TelemetryName } from "westend";

import { type Contender, interleave } from "../src/harness.ts";
import { median, pairedRatio } from "../src/statistics.ts";
import { contenderOf } from "../src/variants.ts";
import type { Bar, Row, Workload } from "../src/workload.ts";
import { numbered } from "./throughput.ts";

type Library = Pick<typeof westend, "definePipeline" | "fromIterable">;

/** A record, so that the compiler notices a channel that is missing. */
const events: Record<TelemetryName, true> = {
  "westend:pipeline:started": true,
  "westend:pipeline:stopped": true,
  "westend:pipeline:failed": true,
  "westend:pipeline:paused": true,
  "westend:pipeline:resumed": true,
  "westend:pipeline:updated": true,
  "westend:pipeline:draining": true,
  "westend:producer:opened": true,
  "westend:producer:closed": true,
  "westend:producer:ended": true,
  "westend:producer:pulled": true,
  "westend:producer:error": true,
  "westend:producer:event": true,
  "westend:message:failed": true,
  "westend:batch:emitted": true,
  "westend:failure:ignored": true,
  "westend:dead-letter:written": true,
  "westend:dead-letter:refused": true,
  "westend:acknowledge:done": true,
  "westend:acknowledge:refused": true,
  "westend:stage:restarting": true,
};

const spans = ["westend:handle", "westend:batch"].flatMap((name) =>
  ["start", "end", "asyncStart", "asyncEnd", "error"].map((event) => `tracing:${name}:${event}`),
);

let published = 0;

function onMessage(): void {
  published++;
}

/** Who listens to what, each with its bar. */
const audiences: Record<string, { readonly names: readonly string[]; readonly bar?: Bar }> = {
  "one subscriber on every channel": {
    names: [...Object.keys(events), ...spans],
    bar: { is: "at least", must: 0.9 },
  },
  "one subscriber on every event, none on spans": { names: Object.keys(events) },
  "no subscriber": { names: [], bar: { is: "at least", must: 0.98 } },
};

/** Ten no-op processors and batches of a hundred, so that every kind of channel is used. */
function pipelineOf(name: string, { definePipeline, fromIterable }: Library): Contender {
  return contenderOf({
    name,
    async run(messages, tally) {
      const pipeline = definePipeline({
        name: "benchmark",
        producer: fromIterable(numbered(messages)),
        processor: { handle: async (message) => message.to("sink") },
        batchers: {
          sink: {
            async handle(batch) {
              for (const { data } of batch) tally.see(data);
            },
          },
        },
      });
      const running = await pipeline.start();
      await running.done;
    },
  });
}

/** What the library's ways to its channels do without any. */
const EMPTIED = { publisher: "return () => {};", traced: "return false;" };

/** Copies the built library and takes the telemetry out of the copy. */
async function withoutTelemetry(): Promise<{ library: Library; remove(): void }> {
  const copy = mkdtempSync(join(tmpdir(), "westend-"));
  const built = dirname(fileURLToPath(import.meta.resolve("westend")));
  cpSync(built, copy, { recursive: true });
  writeFileSync(join(copy, "package.json"), '{"type":"module"}');
  const files = readdirSync(copy).filter((name) => name.endsWith(".js"));
  const patterns = Object.entries(EMPTIED).map(
    ([name, body]) => [new RegExp(`(function ${name}\\([^)]*\\) ?\\{)`), `$1 ${body}`] as const,
  );
  // One of the files that entries share has the telemetry in it.
  const file = files
    .map((name) => join(copy, name))
    .find((path) => patterns.every(([pattern]) => pattern.test(readFileSync(path, "utf8"))));
  if (file === undefined)
    throw new Error(`no ${Object.keys(EMPTIED).join("() and ")}() in ${copy}`);
  const emptied = patterns.reduce(
    (code, [pattern, replacement]) => code.replace(pattern, replacement),
    readFileSync(file, "utf8"),
  );
  writeFileSync(file, emptied);
  const library = (await import(pathToFileURL(join(copy, "index.js")).href)) as Library;
  return { library, remove: () => rmSync(copy, { recursive: true }) };
}

export const telemetry: Workload = {
  name: "telemetry",
  // Subscribing and unsubscribing by turns would slow down what has no subscriber: channels change their shape.
  parts: Object.keys(audiences),
  async run(settings, audience = "no subscriber") {
    const { names, bar } = audiences[audience] ?? { names: [] };
    for (const name of names) channel(name).subscribe(onMessage);
    const without = await withoutTelemetry();
    const ours = pipelineOf(audience, westend);
    const bare = pipelineOf("a build without telemetry", without.library);
    const rates = await interleave([ours, bare], settings, { most: 1_500_000 });
    without.remove();
    if (published > 0 !== names.length > 0) throw new Error(`${published} were published`);
    const [our, their] = [ours, bare].map(({ name }) => rates.get(name) ?? []) as [
      number[],
      number[],
    ];
    const row: Row = {
      workload: `telemetry: ${audience}`,
      westend: { value: median(our), unit: "msg/s" },
      other: { name: bare.name, figure: { value: median(their), unit: "msg/s" } },
      ratio: pairedRatio(our, their),
      bar,
    };
    return { rows: [row], raw: Object.fromEntries(rates) };
  },
};
