import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { printable } from "../src/printable.ts";

describe("printable", () => {
  it("takes away terminal sequences and makes one line of many", () => {
    expect(printable("\u001b[31mred\u001b[0m\r\nnext\u0007 \u009b2Jline")).toBe("red next line");
  });

  it("takes away titles and links, which end with a sequence of their own", () => {
    expect(printable("\u001b]0;title\u0007text \u001b]8;;http://x\u001b\\link")).toBe("text link");
  });

  it("cuts what is longer than 256 characters", () => {
    expect(printable("x".repeat(256))).toBe("x".repeat(256));
    expect(printable("x".repeat(257))).toBe(`${"x".repeat(255)}…`);
  });

  it("leaves no control characters, no direction marks and no half characters in any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 600 }), (text) => {
        const shown = printable(text);
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(shown.length).toBeLessThanOrEqual(256);
        expect(shown.isWellFormed()).toBe(true);
      }),
    );
  });
});
