import { describeWith, sharedKafka, sharedPostgres } from "test-servers/vitest";
import { expect, it } from "vitest";
import { report, scaled } from "./support/scale.ts";
import { until } from "./support/until.ts";
import { makeWorld } from "./support/world.ts";

const SESSION = scaled(8000, 10_000);
const WORK = scaled(12_000, 25_000);
const SHORT_SESSION = scaled(2000, 10_000);
const BLOCK = scaled(6000, 35_000);

describeWith(["kafka", "postgres"], "a handler that takes longer than the session timeout", () => {
  it("does not cause a rebalance", async () => {
    const { brokers, admin } = sharedKafka();
    const postgres = sharedPostgres();
    const world = await makeWorld({ brokers, admin, postgres, sessionTimeout: SESSION });
    world.load.start(100);
    const members = [await world.join(), await world.join()];
    for (const { name } of members) await world.progressOf(name);
    // Both know what is theirs when they have committed it.
    await world.settle();
    const rebalances = (): number =>
      world.notices.filter(({ text }) => /^(assigned|revoked)/.test(text)).length;
    const before = rebalances();

    await world.load.send(world.partitions, () => ({ work: WORK }));
    const account = await world.settle();

    report(`handlers of ${WORK / 1000} s, session timeout ${SESSION / 1000} s`, {
      produced: account.produced,
      repeated: account.repeated,
      rebalances: rebalances() - before,
    });
    expect(rebalances()).toBe(before);
    expect(account.repeated).toBe(0);
    expect(world.broken(account)).toEqual({});
  });
});

describeWith(["kafka", "postgres"], "a handler that blocks the event loop", () => {
  it("is named in an error, and acknowledges nothing that is not its own any more", async () => {
    const { brokers, admin } = sharedKafka();
    const postgres = sharedPostgres();
    const world = await makeWorld({ brokers, admin, postgres, sessionTimeout: SHORT_SESSION });
    let block = false;
    world.load.start(100, () => ({ block }));
    const blocking = await world.join({ block: BLOCK });
    const other = await world.join();
    for (const { name } of [blocking, other]) await world.progressOf(name);

    block = true;
    // Others have taken over.
    await world.progressEverywhere();
    await until("it is named", () => blocking.host.events("eventLoopBlocked").length > 0);
    const account = await world.settle();

    const [event] = blocking.host.events("eventLoopBlocked");
    expect(event?.code).toBe("KAFKA_EVENT_LOOP_BLOCKED");
    expect(event?.text).toMatch(/blocked for \d+ ms, longer than sessionTimeout/);
    const { produced, lost, repeated } = account;
    report(`blocked for ${BLOCK / 1000} s, session timeout ${SHORT_SESSION / 1000} s`, {
      produced,
      lost: lost.length,
      repeated,
      said: event?.text,
    });
    expect(world.broken(account)).toEqual({});
  });
});
