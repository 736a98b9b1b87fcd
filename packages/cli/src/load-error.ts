import { relative } from "node:path";
import { describeError, errorText } from "./describe-error.ts";
import { printable } from "./printable.ts";
import { excerptOf, positionOf, positionOfSyntaxError } from "./source-position.ts";

/** Why a file could not be loaded, in words a user can act upon, with file and line where they are known. */
export function explainLoadError(path: string, file: string, error: unknown): string {
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
      return `${path} failed while it was loaded${at(error)}\n${errorText(error, false)}`;
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
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const frame = /\((file:[^)]+)\)|at (?:async )?(file:\S+)/.exec(
    stack
      .split("\n")
      .filter((line) => /^ +at .*file:/.test(line) && !line.includes("/node_modules/"))
      .join("\n"),
  );
  const url = frame?.[1] ?? frame?.[2];
  return url === undefined ? ":" : ` (${printable(shortPath(url))}):`;
}

function shortened(message: string): string {
  return message.replaceAll(`${process.cwd()}/`, "");
}

function shortPath(urlOrPath: string): string {
  const path = decodeURI(urlOrPath.replace(/^file:\/\//, ""));
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? path : short;
}
