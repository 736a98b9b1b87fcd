import type { ProducerContext } from "westend";
import { describe, expect, it } from "vitest";
import { KafkaError } from "../src/errors.ts";
import { Run } from "../src/run.ts";

const fence = new KafkaError("KAFKA_INSTANCE_FENCED", "Another one has come.");
const context = (index: number): ProducerContext => ({ index }) as ProducerContext;

describe("a run whose session was fenced", () => {
  it("opens no other", () => {
    const run = new Run();
    const first = context(0);
    run.open(first);
    run.fenced(first, fence);
    expect(() => run.open(context(0))).toThrow(fence);
  });

  it("goes on if it was by the session that was opened in its place", () => {
    const run = new Run();
    const first = context(0);
    run.open(first);
    run.open(context(0));
    run.fenced(first, fence);
    expect(() => run.open(context(0))).not.toThrow();
  });
});

describe("a session of a run", () => {
  it("is replaced by the next one of its number, and by no other", () => {
    const run = new Run();
    const first = context(0);
    run.open(first);
    run.open(context(1));
    expect(run.isReplaced(first)).toBe(false);
    run.open(context(0));
    expect(run.isReplaced(first)).toBe(true);
  });
});
