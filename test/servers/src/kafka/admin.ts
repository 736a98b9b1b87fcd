import type { Admin } from "@platformatic/kafka";
import { until } from "../wait.ts";

export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  /** The next one to read. */
  readonly offset: bigint;
  readonly metadata: string;
}

/** What tests ask of a cluster beside what they test. */
export class KafkaAdmin {
  readonly brokers: string[];

  constructor(brokers: string[]) {
    this.brokers = brokers;
  }

  /** Resolves when every partition has a leader. */
  async createTopic(
    topic: string,
    {
      partitions = 1,
      replicas = this.brokers.length,
      configs = {},
    }: {
      partitions?: number;
      replicas?: number;
      configs?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<void> {
    const entries = Object.entries(configs).map(([name, value]) => ({ name, value }));
    await this.#use((admin) =>
      admin.createTopics({ topics: [topic], partitions, replicas, configs: entries }),
    );
    await until(`every partition of ${topic} has a leader`, async () => {
      const leaders = await this.leaders(topic);
      return leaders.length === partitions && leaders.every((leader) => leader > 0);
    });
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#use((admin) => admin.deleteTopics({ topics: [topic] }));
  }

  /** The leader's id by partition; -1 where there is none. */
  async leaders(topic: string): Promise<number[]> {
    const { topics } = await this.#use((admin) =>
      admin.metadata({ topics: [topic], forceUpdate: true }),
    );
    return topics.get(topic)?.partitions.map(({ leader }) => leader) ?? [];
  }

  /** What the group has committed, metadata included. */
  async committed(group: string): Promise<CommittedOffset[]> {
    const groups = await this.#use((admin) =>
      admin.listConsumerGroupOffsets({ groups: [{ groupId: group }] }),
    );
    return groups.flatMap(({ topics }) =>
      topics.flatMap(({ name, partitions }) =>
        partitions
          .filter(({ committedOffset }) => committedOffset >= 0n)
          .map(({ partitionIndex, committedOffset, metadata }) => ({
            topic: name,
            partition: partitionIndex,
            offset: committedOffset,
            metadata: metadata ?? "",
          })),
      ),
    );
  }

  /** Removes everything before `offset`, as retention would. */
  async deleteRecords(topic: string, partition: number, offset: bigint): Promise<void> {
    await this.#use((admin) =>
      admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition, offset }] }] }),
    );
  }

  /** @internal Rejects unless every broker of the cluster is known to the first one given. */
  async sees(brokers: number): Promise<boolean> {
    return this.#use(async (admin) => {
      const metadata = await admin.metadata({ topics: [], forceUpdate: true });
      return metadata.brokers.size >= brokers;
    });
  }

  /** A client for each question: none is left with connections to a broker that was killed. */
  async #use<Answer>(ask: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    const { Admin } = await import("@platformatic/kafka");
    const admin = new Admin({
      clientId: "test-servers",
      bootstrapBrokers: this.brokers,
      connectTimeout: 2_000,
      timeout: 10_000,
      retries: 2,
      retryDelay: 100,
    });
    try {
      return await ask(admin);
    } finally {
      await admin.close();
    }
  }
}
