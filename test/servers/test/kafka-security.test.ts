import { Admin, type SASLOptions } from "@platformatic/kafka";
import { type KafkaServer, startKafka } from "test-servers";
import { describeWith } from "test-servers/vitest";
import { afterAll, beforeAll, expect, it } from "vitest";

const users = { alice: "wonder land" };

describeWith("kafka", "a Kafka that asks who is there", () => {
  let kafka: KafkaServer;
  beforeAll(async () => {
    kafka = await startKafka({ listeners: ["SASL_PLAINTEXT", "SASL_SSL", "SSL"], users });
  });
  afterAll(() => kafka.stop());

  it.each(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const)(
    "knows its users by %s, and refuses a wrong password",
    async (mechanism) => {
      const brokers = kafka.addresses("SASL_PLAINTEXT");

      const sasl = { mechanism, username: "alice", password: users.alice };
      expect(await topics(brokers, { sasl })).toEqual([]);
      await expect(topics(brokers, { sasl: { ...sasl, password: "wrong" } })).rejects.toThrow(
        "Listing topics failed",
      );
    },
  );

  it("takes an unsigned token by OAUTHBEARER", async () => {
    const part = (value: object): string =>
      Buffer.from(JSON.stringify(value)).toString("base64url");
    const now = Math.floor(Date.now() / 1000);
    const token = `${part({ alg: "none" })}.${part({ sub: "alice", iat: now, exp: now + 600 })}.`;

    const sasl = { mechanism: "OAUTHBEARER", token } as const;

    expect(await topics(kafka.addresses("SASL_PLAINTEXT"), { sasl })).toEqual([]);
  });

  it("proves by its certificate who it is", async () => {
    const tls = { ca: kafka.ca! };
    const sasl = { mechanism: "PLAIN", username: "alice", password: users.alice } as const;

    expect(await topics(kafka.addresses("SSL"), { tls })).toEqual([]);
    expect(await topics(kafka.addresses("SASL_SSL"), { tls, sasl })).toEqual([]);
    await expect(topics(kafka.addresses("SSL"), { tls: {} })).rejects.toThrow(
      "Listing topics failed",
    );
  });
});

async function topics(
  bootstrapBrokers: string[],
  options: { sasl?: SASLOptions; tls?: { ca?: string } },
): Promise<string[]> {
  const admin = new Admin({ clientId: "test", bootstrapBrokers, retries: false, ...options });
  try {
    return await admin.listTopics();
  } finally {
    await admin.close();
  }
}
