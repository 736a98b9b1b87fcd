import { setTimeout as sleep } from "node:timers/promises";
import {
  type FaultProxy,
  faultProxy,
  type KafkaServer,
  type PostgresServer,
  startKafka,
  startPostgres,
} from "test-servers";
import { describeWith } from "test-servers/vitest";
import { afterAll, beforeAll, expect, it } from "vitest";
import { report, scaled } from "./support/scale.ts";
import { World } from "./support/world.ts";

/** Milliseconds a fault lasts. */
const LASTS = scaled(1500, 15_000);
const RATE = scaled(200, 1000);
const PARTITIONS = 6;
/** Bytes after which a connection is reset; a few batches. */
const CUT = 10_000;

interface Servers {
  readonly kafka: KafkaServer;
  readonly postgres: PostgresServer;
  readonly proxy: FaultProxy;
  readonly world: World;
}

interface Fault {
  readonly title: string;
  begin(servers: Servers): unknown;
  end?(servers: Servers): unknown;
}

const onKafka: readonly Fault[] = [
  {
    title: "the connections to the broker are reset, again and again",
    begin({ kafka }) {
      kafka.proxy(1).reset();
      kafka.proxy(1).set({ cutAfter: CUT });
    },
    end: ({ kafka }) => kafka.proxy(1).clear(),
  },
  {
    title: "the broker refuses connections",
    begin({ kafka }) {
      kafka.proxy(1).set({ down: true });
      kafka.proxy(1).reset();
    },
    end: ({ kafka }) => kafka.proxy(1).clear(),
  },
  {
    title: "the network to the broker is a black hole",
    begin: ({ kafka }) => kafka.proxy(1).set({ stall: true }),
    end: ({ kafka }) => kafka.proxy(1).clear(),
  },
  {
    title: "the network to the broker is slow, and gives everything in pieces",
    begin: ({ kafka }) => kafka.proxy(1).set({ latency: 300, slice: 100, bandwidth: 50_000 }),
    end: ({ kafka }) => kafka.proxy(1).clear(),
  },
  {
    title: "the broker is killed",
    begin: ({ kafka }) => kafka.node(1).kill(),
    end: ({ kafka }) => kafka.node(1).start(),
  },
];

const onPostgres: readonly Fault[] = [
  {
    title: "PostgreSQL is killed",
    begin: ({ postgres }) => postgres.kill(),
    end: ({ postgres }) => postgres.restart(),
  },
  {
    title: "the connections to PostgreSQL are reset, again and again",
    // In the middle of statements, and between a commit and its answer.
    begin({ proxy }) {
      proxy.reset();
      proxy.set({ cutAfter: CUT });
    },
    end: ({ proxy }) => proxy.clear(),
  },
  {
    title: "the network to PostgreSQL is a black hole",
    begin: ({ proxy }) => proxy.set({ stall: true }),
    end: ({ proxy }) => proxy.clear(),
  },
  {
    title: "the network to PostgreSQL is slow",
    begin: ({ proxy }) => proxy.set({ latency: 300, slice: 100, bandwidth: 50_000 }),
    end: ({ proxy }) => proxy.clear(),
  },
];

const onCluster: readonly Fault[] = [
  {
    title: "every partition gets another leader",
    async begin({ kafka, world }) {
      const leaders = await kafka.admin.leaders(world.topic);
      for (const [partition, leader] of leaders.entries())
        await kafka.admin.moveLeader(world.topic, partition, (leader % 3) + 1);
    },
  },
  ...[1, 2, 3].map((id) => ({
    title: `node ${id} of three is killed, whatever it leads and coordinates`,
    begin: ({ kafka }: Servers) => kafka.node(id).kill(),
    end: ({ kafka }: Servers) => kafka.node(id).start(),
  })),
];

function meets(title: string, nodes: 1 | 3, faults: readonly Fault[]): void {
  describeWith(["kafka", "postgres"], title, () => {
    let servers: Servers;
    beforeAll(async () => {
      const kafka = await startKafka({ nodes, proxied: nodes === 1 });
      const postgres = await startPostgres();
      const proxy = await faultProxy(postgres.port);
      const world = await World.make({
        brokers: kafka.brokers,
        admin: kafka.admin,
        postgres: postgres.url,
        through: (database) => `postgresql://postgres@127.0.0.1:${proxy.port}/${database}`,
        partitions: PARTITIONS,
        inbox: true,
        sessionTimeout: 6000,
      });
      servers = { kafka, postgres, proxy, world };
      // One process meets all of them.
      await world.join();
    });
    afterAll(async () => {
      await servers?.world.end();
      await servers?.kafka.stop();
      await servers?.proxy.close();
      await servers?.postgres.stop();
    });

    for (const { title, begin, end } of faults) {
      it(`loses nothing and goes on by itself when ${title}`, async () => {
        const { world } = servers;
        world.load.start(RATE);
        await world.progressEverywhere();
        const from = await world.seq();

        await begin(servers);
        await sleep(LASTS);
        await end?.(servers);
        const ended = performance.now();
        await world.progressEverywhere();
        const seconds = (performance.now() - ended) / 1000;
        const account = await world.settle();

        const { produced, lost, repeated } = account;
        report(title, {
          produced,
          lost: lost.length,
          repeated,
          secondsFromItsEndUntilAllGoOn: seconds,
          secondsWithoutARow: (await world.longestPause(from)) / 1000,
        });
        expect(repeated).toBe(0);
        expect(world.broken(account)).toEqual({});
      });
    }
  });
}

meets("a pipeline with one broker", 1, [...onKafka, ...onPostgres]);
meets("a pipeline with three brokers", 3, onCluster);
