import { describe, expect, it } from "vitest";
import type { SettledMessage } from "westend";
import { failureOverrides, refuseLost } from "westend/connector";

describe("what configureAck says about a failure", () => {
  it("is taken as far as it makes sense", () => {
    expect(failureOverrides({ onFailure: "deadLetter", retryDelay: 5 })).toEqual({
      onFailure: "deadLetter",
      retryDelay: 5,
    });
    expect(failureOverrides({ onFailure: "explode", retryDelay: -1 })).toEqual({});
    expect(failureOverrides("retry")).toEqual({});
  });
});

describe("messages whose lease was lost", () => {
  const settled = (payload: string): SettledMessage<undefined> => ({
    incoming: { payload, metadata: undefined },
    outcome: "succeeded",
    reason: undefined,
    ackOptions: undefined,
  });
  const [one, two, three] = [settled("1"), settled("2"), settled("3")];

  it("are refused for good, with the reason", () => {
    const lost = [three.incoming, one.incoming];
    const refused = refuseLost({ succeeded: [one, two], failed: [three] }, lost);
    expect(refused).toMatchObject({ refused: [one, three], final: true });
    expect(String(refused?.reason)).toMatch(/^LeaseLost: The lease had run out/);
  });

  it("are nothing to speak of if there are none", () => {
    expect(refuseLost({ succeeded: [one], failed: [] }, [])).toBeUndefined();
  });
});
