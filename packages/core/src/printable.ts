/** Escape sequences, whole: colours, movements of the cursor, titles. Not by `node:util`, the import of which takes milliseconds. */
const SEQUENCES =
  // oxlint-disable-next-line no-control-regex
  /[\x1b\x9b](?:\][^\x07\x1b\x9b\x9c]*(?:\x07|\x1b\\|\x9c)|\[?[0-?]*[ -/]*[@-~])/g;

/** Control characters, ends of lines, and what changes the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\u2028-\u202e\u2066-\u2069]+/gu;

/** Text without what could colour, forge or hide a line of a log; each run of it gives way to `instead`. */
export function printable(text: string, instead: string): string {
  return text.replace(SEQUENCES, "").replace(UNPRINTABLE, instead);
}
