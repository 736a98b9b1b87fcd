import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";

/** What `westend run` was told. */
export interface RunFlags {
  readonly only: readonly string[];
  readonly timeout: number | undefined;
  readonly check: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
}

const EXAMPLES = `
Examples:
  $ westend run pipeline.ts
  $ westend run pipelines.ts --only orders --only invoices
  $ westend run pipeline.ts --check --timeout 10000
  $ westend run pipeline.ts --json | jq 'select(.type == "account")'
`;

const RUN_NOTES = `
The file is a module that exports pipelines, alone, in arrays, or as its default:

  export const orders = definePipeline({ name: "orders", … });

All of them run side by side, until each has ended; if one dies the others are drained.
Each needs a name of its own.
TypeScript runs as it is on Node 22.18 and newer, where types are stripped, not checked: see --check.
On older Node: NODE_OPTIONS="--import tsx" westend run pipeline.ts

Signals:
  SIGTERM, SIGINT   drain: take nothing new, finish what was begun, acknowledge, exit
  a second one      give up at once; what is not acknowledged will be delivered again

Output:
  Once a second a line for each pipeline goes to standard error, or a progress bar if that is
  a terminal and the source knows its size; the account goes to standard output in the end.
  NO_COLOR is honoured.
`;

const EXIT_CODES = `
Exit codes:
  0          every pipeline ended or was drained
  1          a pipeline died or could not start, the file threw, or a drain had to abandon messages
  2          wrong arguments, file, types or options; nothing was started
  130, 143   given up on a second SIGINT or SIGTERM
After 1 another try may help, after 2 it does not.
`;

const UNLESS_TOLD = { check: false, json: false, quiet: false, verbose: false };

/** The commands and their options; `run` is called for `westend run`. */
export function defineProgram(run: (file: string, flags: RunFlags) => Promise<void>): Command {
  const program = new Command("westend")
    .description("Runs Westend pipelines.")
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "show help")
    .helpCommand("help [command]", "show help for a command")
    .addHelpText(
      "after",
      `${EXIT_CODES}${EXAMPLES}\nwestend run --help says more about files, signals and output.`,
    )
    .showHelpAfterError("westend --help shows what there is.")
    .exitOverride();
  program
    .command("run")
    .description("run the pipelines that a file exports")
    .argument("<file>", "a TypeScript or JavaScript module")
    .addOption(only())
    .option(
      "--timeout <ms>",
      "milliseconds a drain may take, whatever the pipelines say",
      wholeNumber,
    )
    .option("--check", "check types first, with the project's TypeScript (tsc --noEmit)")
    .option("--json", "write JSON, one object a line, to standard output")
    .option("-q, --quiet", "print the final account and errors only")
    .option("--verbose", "print the stacks of errors, too")
    .option("--no-color", "print without colors")
    .helpOption("-h, --help", "show help")
    .addHelpText("after", RUN_NOTES + EXIT_CODES + EXAMPLES)
    .showHelpAfterError("westend run --help shows what there is.")
    .exitOverride()
    .action(async (file: string, flags: RunFlags) => run(file, { ...UNLESS_TOLD, ...flags }));
  return program;
}

function only(): Option {
  return new Option("--only <name>", "run this pipeline; may be repeated")
    .argParser((value: string, previous: readonly string[]) => [...previous, value])
    .default([], "all");
}

function wholeNumber(value: string): number {
  if (!/^\d{1,10}$/.test(value)) throw new InvalidArgumentError("It takes whole milliseconds.");
  return Number(value);
}

function version(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
