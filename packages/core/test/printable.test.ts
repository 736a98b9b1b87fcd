import { describe, expect, it } from "vitest";
import { printable } from "../src/printable.ts";

describe("printable", () => {
  it.each([
    ["colours", "\u001b[31mred\u001b[0m", "red"],
    ["the other way to begin a sequence", "\u009b2Jcleared", "cleared"],
    ["movements of the cursor", "\u001b[2;3Hmoved\u001b[?25l", "moved"],
    ["a title, ended by a bell", "\u001b]0;title\u0007text", "text"],
    ["a link, ended by a sequence", "\u001b]8;;http://x\u001b\\link", "link"],
    ["a title, ended by the other end", "\u001b]0;title\u009ctext", "text"],
  ])("leaves out %s as a whole", (_, given, left) => {
    expect(printable(given, "?")).toBe(left);
  });

  it("hides nothing behind a sequence that never ends", () => {
    expect(printable("a\u001b] is wrong: see line 3", "?")).toBe("a is wrong: see line 3");
    expect(printable("a\u009b]hello", "?")).toBe("ahello");
  });

  it("puts one mark in the place of each run of control characters", () => {
    expect(printable("a\r\nforged: line\u202e\u0000b\u001b", "?")).toBe("a?forged: line?b?");
  });

  it("leaves everything else as it is", () => {
    expect(printable("Zürich [31m 東京 🎈", "?")).toBe("Zürich [31m 東京 🎈");
  });
});
