import { describe, expect, it, vi } from "vitest";
import { divertOutput } from "../src/divert-output.ts";
import { FakeTerminal } from "./support/fake-terminal.ts";

function diverted(): { terminal: FakeTerminal; lines: string[]; restore: () => void } {
  const terminal = new FakeTerminal();
  const lines: string[] = [];
  const restore = divertOutput(terminal as unknown as NodeJS.WriteStream, (line) => {
    lines.push(line);
  });
  return { terminal, lines, restore };
}

describe("divertOutput", () => {
  it("hands over whole lines, however they were written", () => {
    const { terminal, lines } = diverted();
    terminal.write("one\ntw");
    terminal.write("o\n");

    expect(lines).toEqual(["one", "two"]);
    expect(terminal.written).toBe("");
  });

  it("keeps characters whole that are written in two parts", () => {
    const { terminal, lines } = diverted();
    const bytes = Buffer.from("ü\n");
    terminal.write(bytes.subarray(0, 1));
    terminal.write(bytes.subarray(1));

    expect(lines).toEqual(["ü"]);
  });

  it("calls back whoever waits for the write", async () => {
    const { terminal } = diverted();

    const done = vi.fn<() => void>();
    terminal.write("x", done);
    terminal.write("x", "utf8", done);

    await vi.waitFor(() => expect(done).toHaveBeenCalledTimes(2));
  });

  it("hands over the rest and lets go of the stream when it is restored", () => {
    const { terminal, lines, restore } = diverted();
    terminal.write("rest");
    restore();
    terminal.write("direct");

    expect(lines).toEqual(["rest"]);
    expect(terminal.written).toBe("direct");
  });
});
