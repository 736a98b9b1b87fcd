import { ConfigurationError } from "westend";
import { describe, expect, it } from "vitest";
import { retryable } from "@westend/postgres";

const failure = (code: string): Error => Object.assign(new Error("it failed"), { code });

describe("retryable", () => {
  it.each([
    ["40001", "a serialization failure"],
    ["40P01", "a deadlock"],
    ["55P03", "a lock that was not to be had"],
    ["57P01", "a shutdown"],
    ["57P03", "a start"],
    ["57014", "a statement that took too long"],
    ["53300", "too many connections"],
    ["53100", "a full disk"],
    ["08006", "a lost connection"],
    ["08P01", "a server that PgBouncer has lost"],
    ["25006", "a standby"],
    ["ECONNRESET", "a reset"],
    ["ECONNREFUSED", "a server that is down"],
    ["ETIMEDOUT", "a network that swallows packets"],
    ["EAI_AGAIN", "a name server that is down"],
  ])("is true of %s, %s", (code) => {
    expect(retryable(failure(code))).toBe(true);
  });

  it.each([
    "Connection terminated unexpectedly",
    "Connection terminated due to connection timeout",
    "Client has encountered a connection error and is not queryable",
    "timeout exceeded when trying to connect",
    "timeout expired",
    "Query read timeout",
  ])("is true of what pg says without a code: %s", (message) => {
    expect(retryable(new Error(message))).toBe(true);
  });

  it.each([
    ["22P02", "a value that cannot be read"],
    ["23505", "a key that is taken"],
    ["42P01", "a missing table"],
    ["42501", "a missing privilege"],
    ["28P01", "a wrong password"],
    ["57P04", "a database that was dropped"],
    ["0A000", "what the server cannot do"],
    ["ERR_ASSERTION", "something else"],
  ])("is false of %s, %s", (code) => {
    expect(retryable(failure(code))).toBe(false);
  });

  it.each([undefined, null, "40001", 40_001, { code: 40_001 }, new Error("no")])(
    "is false of %o, which is no error of PostgreSQL",
    (error) => {
      expect(retryable(error)).toBe(false);
    },
  );

  it("is to stop the pipeline if the table or the rights are not what they were", () => {
    const issues = [{ path: "table", expected: "the table that was there", got: "none" }];
    expect(retryable(new ConfigurationError("@westend/postgres", issues))).toBe("stop");
  });
});
