import { relative } from "node:path";
import { describeError } from "./describe-error.ts";
import { printable } from "./printable.ts";
import { LoadFailure, Refusal } from "./refusal.ts";
import { excerptOf, positionOf, positionOfSyntaxError } from "./source-position.ts";

/** Why a file could not be loaded, in words a user can act upon, with file and line where they are known. */
export function explainLoadError(
  path: string,
  file: string,
  error: unknown,
): Refusal | LoadFailure {
  const options = { cause: error };
  if (isForGood(error)) return new Refusal(explain(path, file, error), options);
  return new LoadFailure(`${path} failed while it was loaded${at(error)}`, options);
}

/** It fails however often it is tried: what Node says of files, imports and their syntax, and options that are refused. */
function isForGood(error: unknown): boolean {
  const { name, code } = describeError(error);
  // The second is what tsx, or esbuild in it, says of syntax.
  if (code === "WESTEND_ERR_CONFIGURATION" || name === "TransformError") return true;
  // What a file runs fails in it, or in what it called; only what keeps it from running comes from the loader.
  const [origin = ""] = placesIn(error);
  return /^node:internal\/(?:modules\/|vm\b)/.test(origin);
}

function explain(path: string, file: string, error: unknown): string {
  const { code = "", message } = describeError(error);
  switch (code) {
    case "WESTEND_ERR_CONFIGURATION":
      // Lists the mistakes line by line.
      return (error as Error).message;
    case "ERR_UNKNOWN_FILE_EXTENSION":
      return /"\.[cm]?ts"/.test(message) ? needsTypeScript(path) : `${path}: ${message}`;
    case "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX":
      return `${located(path, file, error, message)}\n${TRANSFORM}`;
    case "ERR_MODULE_NOT_FOUND":
      return `${path}: ${shortened(message)}`;
    default:
      if (error instanceof SyntaxError) return located(path, file, error, message);
      return `${path}: ${shortened(message)}`;
  }
}

const TRANSFORM =
  "Node only strips types. Write it without, or run it by: NODE_OPTIONS='--import tsx' westend run …";

function needsTypeScript(path: string): string {
  return [
    `${path}: Node ${process.versions.node} does not run TypeScript.`,
    "Use Node 24, or install tsx and run: NODE_OPTIONS='--import tsx' westend run …",
  ].join("\n");
}

function located(path: string, file: string, error: unknown, message: string): string {
  const position = positionOf(error) ?? positionOfSyntaxError(file);
  if (position === undefined) return `${path}: ${message}`;
  const { line, column } = position;
  const where = `${shortPath(position.file ?? file)}:${line}${column === undefined ? "" : `:${column}`}`;
  return [`${where}: ${message}`, ...excerptOf(position)].join("\n");
}

/** Where in the user's files it was thrown. */
function at(error: unknown): string {
  const place = placesIn(error).find((each) => !/^node:|\/node_modules\//.test(each));
  return place === undefined ? ":" : ` (${printable(shortPath(place))}):`;
}

/** The places of the calls in a stack, innermost first; those of the engine have none. */
function placesIn(error: unknown): readonly string[] {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const frames = stack.split("\n").filter((line) => /^ +at /.test(line));
  return frames
    .map((frame) => / \((.+:\d+:\d+)\)$|at (?:async )?(\S.*:\d+:\d+)$/.exec(frame))
    .map((place) => place?.[1] ?? place?.[2])
    .filter((place) => place !== undefined);
}

function shortened(message: string): string {
  return message.replaceAll(`${process.cwd()}/`, "");
}

function shortPath(urlOrPath: string): string {
  const path = decodeURI(urlOrPath.replace(/^file:\/\//, ""));
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? path : short;
}
