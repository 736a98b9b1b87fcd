import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

/** Wrong programs, and what the compiler's words about each must contain. */
const mistakes: Readonly<Record<string, { readonly program: string; readonly words: string[] }>> = {
  "a missing batcher": {
    program: `definePipeline({
      name: "p", producer,
      processor: { handle: (message) => message.data === "" ? message.to("audit") : message.to("ledger") },
      batchers: { ledger: { handle() {} } },
    })`,
    words: ["'audit' is missing", "ledger"],
  },
  "a misspelt batcher": {
    program: `definePipeline({
      name: "p", producer,
      processor: { handle: (message) => message.to("ledger") },
      batchers: { ledger: { handle() {} }, leger: { handle() {} } },
    })`,
    words: ["'leger' does not exist"],
  },
  "a batcher misspelt instead of the right one": {
    program: `definePipeline({
      name: "p", producer,
      processor: { handle: (message) => message.to("ledger") },
      batchers: { leger: { handle() {} } },
    })`,
    words: ["leger", "Did you mean to write 'ledger'?"],
  },
  "no batchers at all": {
    program: `definePipeline({
      name: "p", producer,
      processor: { handle: (message) => message.to("ledger") },
    })`,
    words: ["Property 'batchers' is missing"],
  },
  "a handler that returns any, and no batchers": {
    program: `
      declare function save(row: string): Promise<any>;
      definePipeline({ name: "p", producer, processor: { handle: (message) => save(message.data) } })`,
    words: ["HandlerReturnsAny", "Promise<any>"],
  },
  "no source at all": {
    program: `definePipeline({ name: "p", processor: { handle() {} } })`,
    words: ["Property 'producer' is missing"],
  },
  "a decoder of other payloads": {
    program: `definePipeline({
      name: "p", producer: fromIterable([1]), decoder: json(),
      processor: { handle() {} },
    })`,
    words: ["Decoder<string | Uint8Array", "Decoder<number"],
  },
  "the message itself returned": {
    program: `definePipeline({
      name: "p", producer,
      processor: { handle: (message) => message },
    })`,
    words: ["Message<string, MemoryMetadata>", "RoutedOrNothing"],
  },
  "the message itself returned by an async handler": {
    program: `definePipeline({
      name: "p", producer,
      processor: { async handle(message) { return message; } },
    })`,
    words: ["Message<string, MemoryMetadata>", "RoutedOrNothing"],
  },
  "data of another shape sent to a handler": {
    program: `
      const write = (messages: readonly Message<{ cents: number }>[]): void => void messages;
      definePipeline({
        name: "p", producer,
        processor: { handle: (message) => message.to("ledger", { euros: 1 }) },
        batchers: { ledger: { handle: write } },
      })`,
    words: ["'cents' is missing", "{ euros: number; }"],
  },
  "a payload pushed that the source does not send": {
    program: `
      const running = await definePipeline({ name: "p", producer, processor: { handle() {} } }).start();
      await running.push([1]);`,
    words: ["'number' is not assignable to type 'string'"],
  },
  "a payload pushed in a test that the source does not send": {
    program: `
      const tested = await testPipeline(definePipeline({ name: "p", producer, processor: { handle() {} } }));
      await tested.push(1);`,
    words: ["'number' is not assignable to parameter of type 'string'"],
  },
  "an unknown option": {
    program: `definePipeline({
      name: "p", producer, maxInflight: 10,
      processor: { handle() {} },
    })`,
    words: ["maxInflight", "maxInFlight"],
  },
  "an unknown option of the processor": {
    program: `definePipeline({
      name: "p", producer,
      processor: { concurency: 10, handle() {} },
    })`,
    words: ["concurency", "concurrency"],
  },
  "an unknown option of a batcher": {
    program: `definePipeline({
      name: "p", producer,
      processor: { handle: (message) => message.to("ledger") },
      batchers: { ledger: { batchSize: 10, handle() {} } },
    })`,
    words: ["'batchSize' does not exist"],
  },
  "batchers above the processor": {
    program: `definePipeline({
      name: "p", producer,
      batchers: { ledger: { handle(messages) { for (const { data } of messages) data.cents.toFixed(); } } },
      processor: { handle: (message) => message.to("ledger", { cents: 1 }) },
    })`,
    words: ["'never'"],
  },
};

const header = `
import { definePipeline, fromIterable, json, memory, type Message } from "westend";
import { testPipeline } from "westend/testing";
const producer = memory<string>();
void [fromIterable, json, testPipeline] as unknown as Message<never>;
`;

/** What the compiler says, by the file it says it about. */
function compile(folder: string, command: string, args: readonly string[]): Map<string, string> {
  const { stdout, error } = spawnSync(command, [...args, "-p", folder, "--pretty", "false"], {
    cwd: folder,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (error !== undefined) throw error;
  const said = new Map<string, string>();
  for (const part of stdout.split(/^(?=\S+\(\d+,\d+\): error)/m)) {
    const file = /^(\d+)\.ts\(/.exec(part)?.[1] ?? "";
    if (part.trim() !== "") said.set(file, (said.get(file) ?? "") + part);
  }
  return said;
}

const compilers = [
  { name: "TypeScript 7", command: join(root, "node_modules/.bin/tsc"), args: [] },
  { name: "TypeScript 5.9", command: "npx", args: ["-y", "-p", "typescript@5.9.3", "tsc"] },
];

describe.each(compilers)("$name", ({ command, args }) => {
  let folder: string;
  let said: Map<string, string>;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "westend-mistakes-"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          target: "es2022",
          lib: ["es2023", "esnext.disposable"],
          module: "nodenext",
          types: ["node"],
          strict: true,
          noEmit: true,
        },
        include: ["*.ts"],
      }),
    );
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(join(folder, "right.ts"), `${header}export {};`);
    for (const [index, { program }] of Object.values(mistakes).entries()) {
      writeFileSync(join(folder, `${index}.ts`), header + program);
    }
    said = compile(folder, command, args);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it("has nothing to say where nothing is wrong", () => {
    expect(said.get("")).toBeUndefined();
  });

  it.each(Object.keys(mistakes))("names what is wrong: %s", (title) => {
    const index = Object.keys(mistakes).indexOf(title);
    const message = said.get(String(index)) ?? "nothing";
    for (const words of mistakes[title]?.words ?? []) expect(message).toContain(words);
  });
});
