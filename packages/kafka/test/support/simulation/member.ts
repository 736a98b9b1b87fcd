import { constant, definePipeline, type Message, retry, type RunningPipeline } from "westend";
import { kafka, type KafkaMetadata, type KafkaOptions, type KafkaProducer } from "@westend/kafka";
import { type KafkaMessage, messageOf } from "../../../src/message.ts";
import { type SimulatedCluster, TOPIC } from "./cluster.ts";
import { SimulatedDriver } from "./driver.ts";
import type { Oracle } from "./oracle.ts";

/** What becomes of a message in one attempt, and after how many milliseconds. */
export interface Fate {
  readonly after: number;
  readonly end: "succeeds" | "fails" | "goes on" | "is dropped" | "is acknowledged before";
}

export interface MemberOptions extends Partial<KafkaOptions> {
  readonly cluster: SimulatedCluster;
  readonly oracle: Oracle;
  readonly sessions?: number;
  /** In the processor, or in the batcher it went on to. */
  fate(partition: number, offset: number, stage: "processor" | "batcher"): Fate;
}

/** A pipeline that reads from a simulated cluster, watched by an oracle. */
export interface SimulatedMember {
  readonly source: KafkaProducer;
  readonly running: RunningPipeline<never>;
  /** Of its session; another one after a restart of it. */
  readonly driver: SimulatedDriver;
  /** Of all that were opened. */
  readonly drivers: readonly SimulatedDriver[];
}

type Handled = Message<Buffer | null, KafkaMetadata>;

const origin = ({ metadata }: { readonly metadata: KafkaMetadata }): KafkaMessage =>
  messageOf(metadata) as KafkaMessage;

export async function startMember({
  cluster,
  oracle,
  fate,
  sessions = 1,
  ...options
}: MemberOptions): Promise<SimulatedMember> {
  const drivers: SimulatedDriver[] = [];
  const current = (): SimulatedDriver => drivers.at(-1) as SimulatedDriver;
  const ownerOf = (partition: number): SimulatedDriver =>
    drivers.find((driver) => driver.termOf(partition) !== undefined) ?? current();
  const source = kafka({
    brokers: "localhost:9092",
    groupId: "group",
    topics: TOPIC,
    commitInterval: 200,
    retryDelay: 1000,
    sessionTimeout: 10_000,
    revokeTimeout: 3000,
    driver() {
      drivers.push(new SimulatedDriver(cluster));
      return current();
    },
    ...options,
  });
  const attempt = async (
    message: KafkaMessage,
    stage: "processor" | "batcher",
  ): Promise<Fate["end"]> => {
    oracle.begins(message, ownerOf(message.owner.partition), stage);
    const { after, end } = fate(message.owner.partition, message.offset, stage);
    if (after > 0) await cluster.pass(after);
    oracle.ends(message);
    if (end === "succeeds" || end === "is dropped" || end === "is acknowledged before") {
      oracle.done(message);
    }
    return end;
  };
  const policy = retry({ attempts: 2, backoff: constant(100) });
  const running = await definePipeline({
    name: "member",
    maxInFlight: 20,
    producer: { producer: source, concurrency: sessions },
    processor: {
      concurrency: 4,
      retry: policy,
      async handle(message: Handled) {
        const end = await attempt(origin(message), "processor");
        if (end === "fails") throw new Error("not now");
        if (end === "is dropped") message.drop("on purpose");
        if (end === "is acknowledged before") await message.ackNow().catch(() => undefined);
        return end === "goes on" ? message.to("out") : undefined;
      },
    },
    batchers: {
      out: {
        size: 3,
        timeout: 50,
        retry: policy,
        async handle(messages: readonly Handled[]) {
          await Promise.all(
            messages.map(async (message) => {
              if ((await attempt(origin(message), "batcher")) === "fails") {
                message.fail(new Error("not now"));
              }
            }),
          );
        },
      },
    },
  }).start({ clock: cluster.clock });
  return {
    source,
    drivers,
    running: running as unknown as RunningPipeline<never>,
    get driver() {
      return current();
    },
  };
}
