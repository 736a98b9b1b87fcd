import { describe, expect, it } from "vitest";
import { ConfigurationError } from "westend";
import { kafka, type KafkaOptions } from "@westend/kafka";

const right: KafkaOptions = { brokers: "localhost:9092", groupId: "group", topics: "events" };

function mistakes(options: unknown): string[] {
  try {
    kafka(options as KafkaOptions);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.issues.map(({ path }) => path);
  }
  return [];
}

describe("the options of kafka()", () => {
  it("takes what is needed and nothing else", () => {
    expect(mistakes(right)).toEqual([]);
  });

  it("lists every mistake at once", () => {
    const wrong = { ...right, brokers: ["nowhere"], groupId: "", topics: [], commitInterval: 0 };
    expect(mistakes(wrong)).toEqual(['brokers["0"]', "groupId", "topics", "commitInterval"]);
  });

  it("takes addresses of either version of IP", () => {
    expect(mistakes({ ...right, brokers: ["127.0.0.1:9092", "[::1]:9092"] })).toEqual([]);
  });

  it("wants TLS to other machines unless it is told otherwise in so many words", () => {
    const remote = { ...right, brokers: "kafka.example.com:9092" };
    expect(mistakes(remote)).toEqual([]);
    expect(mistakes({ ...remote, tls: false })).toEqual(["tls"]);
    expect(mistakes({ ...remote, tls: false, insecure: true })).toEqual([]);
  });

  it("wants TLS under credentials, on this machine too", () => {
    const sasl = { mechanism: "PLAIN", username: "ada", password: "lovelace" };
    expect(mistakes({ ...right, sasl })).toEqual(["sasl"]);
    expect(mistakes({ ...right, sasl, tls: true })).toEqual([]);
    expect(mistakes({ ...right, sasl, insecure: true })).toEqual([]);
  });

  it("shows no secret in what it says", () => {
    const sasl = { mechanism: "PLAIN", username: "ada", password: 12_345_678, token: "lovelace" };
    expect(() => kafka({ ...right, tls: true, sasl } as unknown as KafkaOptions)).toThrow(
      expect.not.stringMatching(/12345678|lovelace/),
    );
    expect(mistakes({ ...right, tls: true, sasl })).toEqual(["sasl.password", "sasl.token"]);
  });

  it("keeps the times of a membership in an order that can work", () => {
    const times = { sessionTimeout: 10_000, heartbeatInterval: 5000, revokeTimeout: 10_000 };
    expect(mistakes({ ...right, ...times })).toEqual(["heartbeatInterval", "revokeTimeout"]);
    expect(mistakes({ ...right, sessionTimeout: 90_000, rebalanceTimeout: 60_000 })).toEqual([
      "sessionTimeout",
    ]);
    expect(mistakes({ ...right, sessionTimeout: 1000 })).toEqual([]);
  });
});
