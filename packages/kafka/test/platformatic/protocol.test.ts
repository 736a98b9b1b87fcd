import { describe, expect, it } from "vitest";
import { loadLibrary } from "../../src/platformatic/library.ts";
import { Protocol } from "../../src/platformatic/protocol.ts";

type Offer = Readonly<Record<string, readonly [min: number, max: number]>>;

const KAFKA_4: Offer = { Fetch: [4, 18], OffsetCommit: [2, 10], OffsetFetch: [1, 10] };

async function negotiate(offer: Offer): Promise<Protocol> {
  const apis = Object.entries(offer).map(([name, [minVersion, maxVersion]]) => ({
    name,
    minVersion,
    maxVersion,
  }));
  return Protocol.negotiate(await loadLibrary(), {
    listApis: async () => apis,
  } as never);
}

describe("the versions spoken with brokers", () => {
  it("are the newest that both sides know", async () => {
    const protocol = await negotiate(KAFKA_4);
    expect(protocol.version("Fetch")).toBe(17);
    expect(protocol.version("OffsetCommit")).toBe(9);
  });

  it.each([
    ["too old", { ...KAFKA_4, Fetch: [0, 3] }],
    ["too new", { ...KAFKA_4, OffsetCommit: [10, 12] }],
    ["no Kafka at all", {}],
  ] as [string, Offer][])(
    "are missed with an error that says so if brokers are %s",
    async (_, offer) => {
      await expect(negotiate(offer)).rejects.toMatchObject({
        code: "KAFKA_UNSUPPORTED_VERSION",
        message: expect.stringContaining("They have to be of Kafka 2.4 or newer"),
      });
    },
  );
});
