import { CommanderError } from "commander";
import { errorText } from "./describe-error.ts";
import { ExitCode } from "./exit.ts";
import { loadPipelines, selectPipelines } from "./load.ts";
import { paintFor } from "./paint.ts";
import { defineProgram, type RunFlags } from "./program.ts";
import { LoadFailure, Refusal } from "./refusal.ts";
import { reporterFor } from "./reporters.ts";
import { runPipelines } from "./run.ts";
import { checkTypes } from "./type-check.ts";

/** Carries out a command line, and gives the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let code: number = ExitCode.done;
  const program = defineProgram(async (file, flags) => {
    code = await run(file, flags);
  });
  try {
    await program.parseAsync(argv);
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // It has said what there is to say.
    return error.exitCode === 0 ? ExitCode.done : ExitCode.refused;
  }
}

async function run(file: string, flags: RunFlags): Promise<number> {
  const { red, yellow } = paintFor(process.stderr, flags.color);
  const say = (words: string): void => {
    if (!flags.quiet) process.stderr.write(`${yellow("westend:")} ${words}\n`);
  };
  try {
    if (flags.check) checkTypes(file);
    const pipelines = selectPipelines(await loadPipelines(file, say), flags.only);
    const { timeout } = flags;
    return await runPipelines(pipelines, { reporter: reporterFor(flags), timeout });
  } catch (error) {
    const failed = error instanceof LoadFailure;
    if (!failed && !(error instanceof Refusal)) throw error;
    process.stderr.write(`${red("westend:")} ${error.message}\n`);
    if (failed || (flags.verbose && error.cause !== undefined)) {
      process.stderr.write(`${errorText(error.cause, flags.verbose)}\n`);
    }
    return failed ? ExitCode.died : ExitCode.refused;
  }
}
