import { setTimeout as sleep } from "node:timers/promises";
import { PipelineError } from "westend";
import { type KafkaServer, startKafka } from "test-servers";
import { describeWith, sharedKafka, uniqueName } from "test-servers/vitest";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeEvents } from "../support/events.ts";
import { eventsFor, type Member, type MemberOptions, startMember } from "../support/member.ts";
import { listening } from "../support/said.ts";
import { until } from "../support/until.ts";

/** The code of what starting fails with, beneath what the pipeline says of it. */
async function refusal(options: Partial<MemberOptions>): Promise<unknown> {
  try {
    await startMember({ topic: "events", groupId: "group", brokers: ["127.0.0.1:1"], ...options });
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return (error as { cause?: { code?: unknown } }).cause?.code;
  }
  return "started";
}

describeWith("kafka", "what cannot work is said at the start", () => {
  it("where nothing listens", async () => {
    expect(await refusal({})).toBe("KAFKA_UNREACHABLE");
  });

  it("where there is no such topic", async () => {
    const { brokers } = sharedKafka();
    expect(await refusal({ brokers, topic: uniqueName("nowhere") })).toBe("KAFKA_TOPIC_MISSING");
  });

  it("where the brokers do not take such a session", async () => {
    const { brokers, admin } = sharedKafka();
    const topic = uniqueName("session");
    await admin.createTopic(topic);
    // More than Kafka's group.max.session.timeout.ms.
    const times = { sessionTimeout: 2_000_000, rebalanceTimeout: 2_000_000 };
    expect(await refusal({ brokers, topic, ...times })).toBe("KAFKA_GROUP");
  });
});

describeWith("kafka", "a source whose brokers fail", () => {
  let kafka: KafkaServer;
  beforeAll(async () => {
    kafka = await startKafka({ proxied: true });
  });
  afterAll(() => kafka.stop());

  /** How many events were handled in the end; 630 is all. */
  async function underLoad(fault: (member: Member) => Promise<void>): Promise<number> {
    const topic = uniqueName("faults");
    await kafka.admin.createTopic(topic, { partitions: 3 });
    await writeEvents(kafka.brokers, topic, eventsFor(3, 600));
    const member = await startMember({
      brokers: kafka.brokers,
      topic,
      groupId: topic,
      sessionTimeout: 6000,
      handle: () => sleep(5),
    });
    await until("it is at work", () => member.handled.length > 50);
    await fault(member);
    await writeEvents(kafka.brokers, topic, eventsFor(3, 30));
    await until("all is handled", () => new Set(member.handled).size === 630);
    await until("all is committed", async () => {
      const committed = await kafka.admin.committed(topic);
      return committed.length === 3 && committed.every(({ offset }) => offset === 210n);
    });
    return new Set(member.handled).size;
  }

  it("goes on when a broker has been killed and comes back", async () => {
    const handled = await underLoad(async () => {
      await listening(async (said) => {
        await kafka.node(1).kill();
        await until("that is noticed", () => said("trouble").length > 0);
        await kafka.node(1).start();
      });
    });
    expect(handled).toBe(630);
  });

  it("goes on when its connections are reset", async () => {
    const handled = await underLoad(async () => {
      for (let times = 0; times < 5; times++) {
        kafka.proxy(1).reset();
        await sleep(100);
      }
    });
    expect(handled).toBe(630);
  });

  it("stops soon though nobody answers any more", async () => {
    const topic = uniqueName("deaf");
    await kafka.admin.createTopic(topic);
    await writeEvents(kafka.brokers, topic, eventsFor(1, 10));
    const member = await startMember({ brokers: kafka.brokers, topic, groupId: topic });
    await until("all is handled", () => member.handled.length === 10);
    kafka.proxy(1).set({ stall: true });
    try {
      const report = await member.running.stop({ timeout: 20_000 });
      expect(report).toMatchObject({ received: 10, succeeded: 10, abandoned: 0 });
    } finally {
      kafka.proxy(1).clear();
    }
  });

  it("goes on after a black hole longer than its session", async () => {
    const handled = await underLoad(async () => {
      kafka.proxy(1).set({ stall: true });
      await sleep(8000);
      kafka.proxy(1).clear();
    });
    expect(handled).toBe(630);
  });
});

describeWith("kafka", "a source whose brokers ask who is there", () => {
  const users = { ada: "love lace" };
  let kafka: KafkaServer;
  beforeAll(async () => {
    kafka = await startKafka({ listeners: ["SASL_SSL", "SSL"], users });
    await kafka.admin.createTopic("events");
  });
  afterAll(() => kafka.stop());

  const secure = (): Partial<MemberOptions> => ({
    brokers: kafka.addresses("SASL_SSL"),
    tls: { ca: kafka.ca! },
    groupId: uniqueName("secure"),
  });

  it.each(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const)(
    "is let in by %s",
    async (mechanism) => {
      const sasl = { mechanism, username: "ada", password: () => users.ada };
      expect(await refusal({ ...secure(), sasl })).toBe("started");
    },
  );

  it("is let in by a token", async () => {
    const part = (value: object): string =>
      Buffer.from(JSON.stringify(value)).toString("base64url");
    const now = Math.floor(Date.now() / 1000);
    const token = `${part({ alg: "none" })}.${part({ sub: "ada", iat: now, exp: now + 600 })}.`;
    const sasl = { mechanism: "OAUTHBEARER", token: async () => token } as const;
    expect(await refusal({ ...secure(), sasl })).toBe("started");
  });

  it("is told that a password is wrong, without showing it", async () => {
    const sasl = { mechanism: "PLAIN", username: "ada", password: "love letter" } as const;
    const error = await startMember({ ...secure(), sasl, topic: "events" } as MemberOptions).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ cause: { code: "KAFKA_AUTHENTICATION" } });
    const { inspect } = await import("node:util");
    expect(inspect(error, { depth: 20 })).not.toMatch(/love letter/);
  });

  it("is told that what gives the password has failed, and how", async () => {
    const password = () => Promise.reject(new Error("the vault is sealed"));
    const sasl = { mechanism: "PLAIN", username: "ada", password } as const;
    const starting = startMember({ ...secure(), sasl, topic: "events" } as MemberOptions);
    await expect(starting).rejects.toMatchObject({
      cause: {
        code: "KAFKA_AUTHENTICATION",
        message: expect.stringContaining("`sasl.password`"),
        cause: { message: "the vault is sealed" },
      },
    });
  });

  it("trusts no certificate that it does not know", async () => {
    const brokers = kafka.addresses("SSL");
    expect(await refusal({ brokers, tls: true })).toBe("KAFKA_UNREACHABLE");
    expect(await refusal({ brokers, tls: { ca: kafka.ca! }, groupId: uniqueName("tls") })).toBe(
      "started",
    );
  });

  it("is told where TLS is missing", async () => {
    expect(await refusal({ brokers: kafka.addresses("SSL") })).toBe("KAFKA_UNREACHABLE");
  });
});
