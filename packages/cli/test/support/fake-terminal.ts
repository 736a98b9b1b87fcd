import { Writable } from "node:stream";

/** A terminal that remembers what was written to it. */
export class FakeTerminal extends Writable {
  readonly isTTY = true;
  readonly columns = 120;
  written = "";

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString();
    done();
  }

  /** What was written last, without terminal sequences. */
  get lastLine(): string {
    // oxlint-disable-next-line no-control-regex
    const plain = this.written.replaceAll(/\u001b\[[?\d]*[a-zA-Z]/g, "\r");
    return plain.split(/[\r\n]+/).findLast((line) => line.trim() !== "") ?? "";
  }
}
