import { DecodeError } from "westend";
import { describe, expect, it } from "vitest";
import { errorSummary, errorText } from "../src/describe-error.ts";

describe("errorText", () => {
  it("gives name, code and message, and those of the causes", () => {
    const cause = Object.assign(new Error("connect failed"), { code: "ECONNREFUSED" });

    expect(errorText(new TypeError("no database", { cause }), false)).toBe(
      "TypeError: no database\n  caused by Error [ECONNREFUSED]: connect failed",
    );
  });

  it("stops after five errors, and at one that causes itself", () => {
    const circular = new Error("round and round");
    circular.cause = circular;
    let deep = new Error("deepest");
    for (let depth = 0; depth < 100; depth++) deep = new Error(`${depth}`, { cause: deep });

    expect(errorText(circular, false)).toBe("Error: round and round");
    expect(errorText(deep, false).split("\n")).toHaveLength(5);
  });

  it("lets the first of several errors stand for all", () => {
    const error = new AggregateError([new Error("first"), new Error("second")], "all failed");

    expect(errorText(error, false)).toBe("AggregateError: all failed\n  caused by Error: first");
  });

  it("does not repeat with an error what its cause says", () => {
    const cause = Object.assign(new Error("connect failed"), { code: "ECONNREFUSED" });
    const error = new TypeError("no database: connect failed", { cause });

    expect(errorText(error, false)).toBe(
      "TypeError: no database\n  caused by Error [ECONNREFUSED]: connect failed",
    );
  });

  it("lets an error without a message say what its cause says", () => {
    const refused = Object.assign(new Error("connect failed"), { code: "ECONNREFUSED" });
    const error = Object.assign(new AggregateError([refused, refused], ""), { code: "ECONN" });

    expect(errorText(error, false)).toBe(
      "AggregateError [ECONN]\n  caused by Error [ECONNREFUSED]: connect failed",
    );
    expect(errorText(new Error(""), false)).toBe("Error: without a message");
  });

  it.each([
    [["user", "age"], "user.age: expected a number"],
    [["items", 17, "price"], "items.*.price: expected a number"],
    [["ada@example.org"], "*: expected a number"],
    [undefined, "expected a number"],
  ])("says where a payload does not fit, with names only: %j", (path, words) => {
    const issues = [{ message: "expected a number", path }, { message: "expected a string" }];
    const error = new DecodeError("the payload does not fit its schema: 2 issues", { issues });

    expect(errorText(error, false)).toBe(
      `DecodeError [WESTEND_ERR_DECODE]: the payload does not fit its schema: 2 issues (${words})`,
    );
  });

  it.each([
    // Of zod, arktype and zod; the last was cut off.
    ['Unrecognized keys: "note", "ada@example.org"', 'Unrecognized keys: "note", "*"'],
    ['a["ada\\"@example.org"] must be a number', 'a["*"] must be a number'],
    ['Unrecognized key: "ada@example.org, of …', 'Unrecognized key: "*"'],
  ])("shows no key in the words of an issue that is no name: %s", (message, words) => {
    const error = new DecodeError("1 issue", { issues: [{ message, path: [] }] });

    expect(errorText(error, false)).toBe(`DecodeError [WESTEND_ERR_DECODE]: 1 issue (${words})`);
  });

  it("runs no getters", () => {
    const trap = {
      get message(): string {
        throw new Error("it was called");
      },
    };

    expect(errorText(trap, false)).toBe("Error: an object was thrown");
  });

  it.each([
    [{ card: "4111-1111" }, "Error: an object was thrown"],
    [41_111_111, "Error: a number was thrown"],
    [undefined, "Error: undefined was thrown"],
    [null, "Error: null was thrown"],
    ["a reason", "Error: a reason"],
  ])("does not show what else is thrown, unless it is text: %j", (thrown, expected) => {
    expect(errorText(thrown, false)).toBe(expected);
  });

  it("adds stacks if it is to be verbose", () => {
    expect(errorText(new Error("no"), true)).toMatch(/^Error: no\n +at .*describe-error\.test\.ts/);
  });
});

describe("errorSummary", () => {
  it("names what is behind an error that does not say so", () => {
    const cause = Object.assign(new Error("connect failed"), { code: "ECONNREFUSED" });
    const error = new TypeError("fetch failed", { cause: new Error("no socket", { cause }) });

    expect(errorSummary(error)).toBe(
      "TypeError: fetch failed, caused by Error [ECONNREFUSED]: connect failed",
    );
  });

  it("says once what an error repeats of its cause", () => {
    const error = new TypeError("no database: down", { cause: new Error("down") });

    expect(errorSummary(error)).toBe("TypeError: no database: down");
  });
});
