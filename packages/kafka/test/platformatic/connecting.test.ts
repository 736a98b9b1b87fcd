import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { KafkaDriver } from "../../src/client.ts";
import type { KafkaOptions } from "../../src/options.ts";
import { platformaticDriver } from "../../src/platformatic/driver.ts";
import { PlatformaticRecordClient } from "../../src/platformatic/record-client.ts";
import { describeWith, sharedKafka, uniqueName } from "test-servers/vitest";

/** Servers that take connections and do with them what a test says. */
const servers: { readonly server: Server; readonly sockets: Socket[] }[] = [];
const drivers: KafkaDriver[] = [];

async function listen(greet: (socket: Socket) => void = () => undefined): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on("error", () => undefined));
    greet(socket);
  });
  servers.push({ server, sockets });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

afterEach(async () => {
  await Promise.all(drivers.splice(0).map((driver) => driver.close()));
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

async function connect(options: Partial<KafkaOptions>, topic = "events"): Promise<void> {
  const connection = { brokers: [], groupId: "group", topics: topic, ...options };
  const driver = platformaticDriver(connection)({
    groupId: "group",
    groupInstanceId: undefined,
    topics: [topic],
    isolation: "committed",
    sessionTimeout: 45_000,
    rebalanceTimeout: 60_000,
    heartbeatInterval: 3000,
    minBytes: 1,
    maxBytes: 1,
    maxWait: 500,
    maxMessageBytes: 1,
    maxHeaders: 1,
    maxBatchBytes: 1,
  });
  drivers.push(driver);
  await driver.connect();
}

describeWith("kafka", "connecting", () => {
  let topic = "";
  beforeEach(async () => {
    topic = uniqueName("connecting");
    await sharedKafka().admin.createTopic(topic);
  });

  it("asks another broker where one takes connections but does not answer", async () => {
    const hangs = await listen();
    const brokers = [hangs, ...sharedKafka().brokers];
    await expect(connect({ brokers, connectTimeout: 3000 }, topic)).resolves.toBeUndefined();
  });

  it("asks another broker for a sink, too", async () => {
    const hangs = await listen();
    const brokers = [hangs, ...sharedKafka().brokers];
    const client = new PlatformaticRecordClient({ brokers, connectTimeout: 3000 });
    await expect(client.partitions(topic)).resolves.toBe(1);
    await client.close();
  });

  it("says that nobody answers, long before a request to join would be given up", async () => {
    const brokers = [await listen(), await listen()];
    await expect(connect({ brokers, connectTimeout: 100 })).rejects.toMatchObject({
      code: "KAFKA_UNREACHABLE",
      message: expect.stringContaining("does not answer"),
    });
  });

  it("says which call of the system failed", async () => {
    await expect(connect({ brokers: "127.0.0.1:1" })).rejects.toMatchObject({
      code: "KAFKA_UNREACHABLE",
      message: expect.stringContaining("connecting to 127.0.0.1:1 failed (connect ECONNREFUSED)"),
    });
  });

  it("says what a port may want that closes connections", async () => {
    const brokers = await listen((socket) => socket.on("data", () => socket.destroy()));
    await expect(connect({ brokers })).rejects.toMatchObject({
      code: "KAFKA_UNREACHABLE",
      message: expect.stringMatching(/closed at the other end.*`tls`.*`sasl`/),
    });
  });
});
