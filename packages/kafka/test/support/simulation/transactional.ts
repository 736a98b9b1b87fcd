import { definePipeline } from "westend";
import type { KafkaProducer } from "@westend/kafka";
import type {
  GroupMember,
  Position,
  RecordBatch,
  TransactionClient,
  TransactionResult,
} from "../../../src/client.ts";
import { messageOf } from "../../../src/message.ts";
import { Run } from "../../../src/run.ts";
import { KafkaSession } from "../../../src/session.ts";
import { stage } from "../../../src/stage.ts";
import { type SimulatedCluster, TOPIC } from "./cluster.ts";
import { SimulatedDriver } from "./driver.ts";
import type { Fate, SimulatedMember } from "./member.ts";
import type { Scene } from "./scene.ts";

/** Values of records that were written in transactions, each as often as it was. */
export type Written = string[];

/** Writes and commits as one; whether nobody says what came of it is up to the faults of the cluster. */
class SimulatedTransactions implements TransactionClient {
  readonly #cluster: SimulatedCluster;
  readonly #driver: SimulatedDriver;
  readonly #written: Written;

  constructor(cluster: SimulatedCluster, driver: SimulatedDriver, written: Written) {
    this.#cluster = cluster;
    this.#driver = driver;
    this.#written = written;
  }

  async open(): Promise<void> {}

  async partitions(): Promise<number> {
    return 1;
  }

  async run(
    batches: readonly RecordBatch[],
    positions: readonly Position[],
    member: GroupMember,
  ): Promise<TransactionResult> {
    try {
      return await this.#cluster.call(
        "transaction",
        (): TransactionResult => {
          if (!this.#driver.commitAs(member, positions)) return "lost";
          for (const { records } of batches) {
            this.#written.push(...records.map(({ value }) => String(value)));
          }
          return "done";
        },
        () => "retry",
      );
    } catch {
      return "doubtful";
    }
  }

  async close(): Promise<void> {}
}

/** A member whose messages each give rise to one record, in the transaction that commits it. */
export async function startTransactional(
  { cluster, oracle, group }: Scene,
  written: Written,
  fate: (partition: number, offset: number, stage: "processor" | "batcher") => Fate,
): Promise<SimulatedMember> {
  const driver = new SimulatedDriver(cluster);
  const sessions = new Set<KafkaSession>();
  const options = {
    brokers: "localhost:9092",
    groupId: "group",
    topics: TOPIC,
    commitInterval: 100,
    retryDelay: 1000,
    revokeTimeout: 3000,
  };
  const running = await definePipeline({
    name: "transactional",
    maxInFlight: 20,
    producer: {
      name: "kafka",
      async open(context) {
        const client = new SimulatedTransactions(cluster, driver, written);
        const session = new KafkaSession(driver, context, options, sessions, new Run(), client);
        await session.start();
        sessions.add(session);
        return session;
      },
    },
    processor: {
      concurrency: 4,
      async handle(message, signal) {
        const origin = messageOf(message.metadata);
        if (origin === undefined) throw new TypeError("it is none of ours");
        const { partition } = origin.owner;
        oracle.begins(origin, driver, "processor");
        const { after, end } = fate(partition, origin.offset, "processor");
        if (after > 0) await cluster.pass(after);
        oracle.ends(origin);
        if (end === "fails") throw new Error("not now");
        const value = `${partition}:${origin.offset}`;
        await stage([message], () => ({ topic: "out", value }), signal);
        oracle.done(origin);
      },
    },
  }).start({ clock: cluster.clock });
  const member: SimulatedMember = {
    source: { resume: () => undefined } as Partial<KafkaProducer> as KafkaProducer,
    running,
    driver,
    drivers: [driver],
  };
  group.members.push(member);
  return member;
}
