import { describe, expect, it } from "vitest";
import * as errors from "../src/errors.ts";

const made: errors.PipelineError[] = [
  new errors.ConfigurationError("subject", []),
  new errors.DecodeError("text"),
  new errors.UnknownBatcherError("text"),
  new errors.HandlerResultError("text"),
  new errors.HandlerTimeoutError("text"),
  new errors.AttemptsError("text"),
  new errors.ProducerError("text"),
  new errors.AcknowledgeError("text", { count: 2 }),
  new errors.DeadLetterError("text"),
  new errors.StageError("text"),
  new errors.ShutdownTimeoutError("text", { inFlight: 3 }),
  new errors.StoppedError("text"),
];

describe("Westend's own errors", () => {
  it("are all of them shown here", () => {
    const names = Object.entries(errors)
      .filter(([, value]) => typeof value === "function" && value !== errors.PipelineError)
      .map(([name]) => name);
    expect(made.map(({ name }) => name).sort()).toEqual(names.sort());
  });

  it("have a code each, and no two the same", () => {
    expect(new Set(made.map(({ code }) => code)).size).toBe(made.length);
    expect(made.every(({ code }) => /^WESTEND_ERR_[A-Z_]+$/.test(code))).toBe(true);
  });

  it("have codes that say what their names say", () => {
    expect(new errors.UnknownBatcherError("text").code).toBe("WESTEND_ERR_UNKNOWN_BATCHER");
    expect(new errors.DecodeError("text").code).toBe("WESTEND_ERR_DECODE");
  });

  it.each(made.map((error) => [error.name, error] as const))(
    "%s is an Error and a PipelineError",
    (name, error) => {
      expect(error).toBeInstanceOf(Error);
      expect(error).toBeInstanceOf(errors.PipelineError);
      expect(error.stack).toContain(name);
    },
  );

  it("are told apart by instanceof", () => {
    const error = new errors.DecodeError("text");
    expect(error).toBeInstanceOf(errors.DecodeError);
    expect(error).not.toBeInstanceOf(errors.StageError);
  });

  it("are instances of the class of another copy of this package", () => {
    // What another copy made has the same brands and another prototype.
    const brands = ["PipelineError", "DecodeError"].map((name) => Symbol.for(`westend.${name}`));
    const foreign = Object.fromEntries(brands.map((brand) => [brand, true]));
    expect(foreign).toBeInstanceOf(errors.DecodeError);
    expect(foreign).toBeInstanceOf(errors.PipelineError);
    expect(foreign).not.toBeInstanceOf(errors.StageError);
  });

  it.each([null, undefined, 5, "text", {}, new Error("text")])(
    "are not mistaken for %s",
    (value) => {
      expect(value instanceof errors.PipelineError).toBe(false);
    },
  );

  it("show no brands when they are printed as JSON or have their keys listed", () => {
    const error = new errors.StoppedError("text");
    expect(Object.keys(error)).toEqual(["name", "code"]);
    expect(
      Object.getOwnPropertySymbols(error).every((symbol) => !error.propertyIsEnumerable(symbol)),
    ).toBe(true);
  });

  it("keep the cause", () => {
    const cause = new Error("cause");
    expect(new errors.ProducerError("text", { cause }).cause).toBe(cause);
    expect(new errors.AcknowledgeError("text", { cause, count: 1 }).cause).toBe(cause);
  });

  it("carry how much they are about", () => {
    expect(new errors.AcknowledgeError("text", { count: 2 }).count).toBe(2);
    expect(new errors.ShutdownTimeoutError("text", { inFlight: 3 }).inFlight).toBe(3);
    expect(new errors.DecodeError("text").issues).toEqual([]);
  });

  it("may be extended: what extends one is one", () => {
    class OwnError extends errors.DecodeError {}
    const error = new OwnError("text");
    expect(error).toBeInstanceOf(errors.DecodeError);
    expect([error.name, error.code]).toEqual(["OwnError", "WESTEND_ERR_DECODE"]);
    expect(new errors.DecodeError("text")).not.toBeInstanceOf(OwnError);
  });
});
