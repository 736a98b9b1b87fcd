import { describe, expect, it } from "vitest";
import { queueTerms } from "westend/connector";

describe("a message to be enqueued", () => {
  it("has its key as text, and no delay unless it is given one", () => {
    expect(queueTerms({ payload: "" })).toEqual({ key: null, delay: 0 });
    expect(queueTerms({ payload: new Uint8Array(), key: 7n, delay: 2.5 })).toEqual({
      key: "7",
      delay: 2.5,
    });
  });

  it.each<[object, string]>([
    [{ payload: null }, "A payload is text or bytes, got null"],
    [{ payload: { secret: 1 } }, "A payload is text or bytes, got object"],
    [{ payload: "", key: true }, "A key is text, a number or a bigint, got boolean"],
    [{ payload: "", key: "a\0" }, "A key has at most 1024 characters, no NUL and no half"],
    [{ payload: "", delay: -1 }, "A delay is a number of milliseconds from 0"],
    [{ payload: "", delay: Infinity }, "A delay is a number of milliseconds from 0"],
  ])("is refused without being shown: %o", (message, said) => {
    expect(() => queueTerms(message as never)).toThrow(said);
  });
});
