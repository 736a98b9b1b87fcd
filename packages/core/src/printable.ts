/** Escape sequences, whole: colours, movements of the cursor, titles. Not by `node:util`, the import of which takes milliseconds. */
const SEQUENCES =
  // oxlint-disable-next-line no-control-regex
  /[\u001b\u009b](?:\][^\u0007\u001b\u009b\u009c]*(?:\u0007|\u001b\\|\u009c)|\[?[0-?]*[ -/]*[@-~])/g;

// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g;

/** Text without what could colour, forge or hide a line of a log; each run of it gives way to `instead`. */
export function printable(text: string, instead: string): string {
  return text.replace(SEQUENCES, "").replace(UNPRINTABLE, instead);
}
