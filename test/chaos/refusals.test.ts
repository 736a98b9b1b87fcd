import { type KafkaServer, startKafka } from "test-servers";
import { describeWith, sharedPostgres } from "test-servers/vitest";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { MemberOptions } from "./support/protocol.ts";
import { report } from "./support/scale.ts";
import { World } from "./support/world.ts";

interface Mistake {
  readonly title: string;
  readonly options: Partial<MemberOptions>;
  /** SQL that makes it, and SQL that takes it back. */
  readonly sql?: readonly [make: string, undo: string];
  readonly says: RegExp;
}

const mistakes: readonly Mistake[] = [
  {
    title: "the address of the broker is wrong",
    options: { brokers: ["127.0.0.1:1"] },
    says: /127\.0\.0\.1:1 .*check `brokers`/,
  },
  {
    title: "the password of the broker's user is wrong",
    options: { credentials: ["alice", "guess"] },
    says: /credentials.*check `sasl`/,
  },
  {
    title: "there is no such topic",
    options: { topic: "nowhere" },
    says: /nowhere.*Create it, or correct `topics`/s,
  },
  {
    title: "there is no such table",
    options: { table: "nowhere" },
    says: /nowhere/,
  },
  {
    title: "a column is of another type",
    options: {},
    sql: [
      "alter table effect rename column key to text; alter table effect add column key date",
      "alter table effect drop column key; alter table effect rename column text to key",
    ],
    says: /columns\.key.*date/s,
  },
];

describeWith(["kafka", "postgres"], "a pipeline that is set up wrongly", () => {
  let kafka: KafkaServer;
  let world: World;
  const credentials = ["alice", "wonderland"] as const;
  beforeAll(async () => {
    kafka = await startKafka({
      listeners: ["SASL_PLAINTEXT"],
      users: { [credentials[0]]: credentials[1] },
    });
    const { admin } = kafka;
    const brokers = kafka.addresses("SASL_PLAINTEXT");
    world = await World.make({ brokers, admin, postgres: sharedPostgres() });
    await world.load.send(500);
  });
  afterAll(async () => {
    await world?.end();
    await kafka?.stop();
  });

  for (const { title, options, sql, says } of mistakes) {
    it(`is told what to do when ${title}, and commits nothing`, async () => {
      if (sql !== undefined) await world.rows(sql[0]);
      const began = performance.now();
      const error = await world
        .join({ credentials, ...options })
        .then(() => "it was taken", String);
      report(title, { seconds: (performance.now() - began) / 1000, says: error });
      if (sql !== undefined) await world.rows(sql[1]);

      expect(error).toMatch(says);
      expect(error).not.toContain("guess");
      expect(await kafka.admin.committed(world.group)).toEqual([]);
    });
  }

  it("writes everything once the mistakes are corrected", async () => {
    await world.join({ credentials });
    const account = await world.settle();
    expect(account.rows).toBe(account.produced);
    expect(world.broken(account)).toEqual({});
  });
});
