import { describe, expect, it } from "vitest";
import { explain } from "../../src/platformatic/failures.ts";

/** One of the client's, for what a broker answered. */
const answered = (apiId: string): Error => Object.assign(new Error("An answer."), { apiId });

describe("an error of the client's", () => {
  it("that we know nothing of is not blamed on the group", () => {
    const cause = new TypeError("Something else.");
    const error = explain("fetching from broker:9092", cause);
    expect(error).toMatchObject({ code: "KAFKA_UNEXPECTED", cause });
    expect(error.message).toContain("fetching from broker:9092");
  });

  it("for a cluster that is not ready says that it is out of reach, so that it is waited for", () => {
    for (const id of ["COORDINATOR_NOT_AVAILABLE", "REQUEST_TIMED_OUT", "CONCURRENT_TRANSACTIONS"])
      expect(explain("beginning a transaction", answered(id)).code).toBe("KAFKA_UNREACHABLE");
  });

  it("says which right is missing where it is one to a transactional id", () => {
    const error = explain(
      "beginning a transaction",
      answered("TRANSACTIONAL_ID_AUTHORIZATION_FAILED"),
    );
    expect(error.code).toBe("KAFKA_AUTHORIZATION");
    expect(error.message).toContain("transactional id");
  });

  it("is about the group where the group refuses us, also deep inside", () => {
    const inner = answered("INCONSISTENT_GROUP_PROTOCOL");
    const error = explain("joining the group", new AggregateError([inner], "Failed twice."));
    expect(error.code).toBe("KAFKA_GROUP");
  });
});
