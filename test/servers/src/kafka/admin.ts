import type { Admin, ClusterPartitionMetadata } from "@platformatic/kafka";
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
    return (await this.#partitions(topic)).map(({ leader }) => leader);
  }

  /** Makes another node the leader; resolves when it is, with all replicas in sync again. */
  async moveLeader(topic: string, partition: number, to: number): Promise<void> {
    const { replicas } = (await this.#partitions(topic))[partition]!;
    const others = replicas.filter((id) => id !== to);
    const isSo = (wanted: number[]) => async () => {
      const now = (await this.#partitions(topic))[partition];
      return now?.leader === to && now.isr.length === wanted.length;
    };
    // A leader that is no replica any more has to hand over.
    for (const wanted of [[to], [to, ...others]]) {
      await this.#reassign(topic, partition, wanted);
      await until(`${topic}:${partition} is led by ${to}`, isSo(wanted));
    }
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

  async #partitions(topic: string): Promise<ClusterPartitionMetadata[]> {
    const { topics } = await this.#use((admin) =>
      admin.metadata({ topics: [topic], forceUpdate: true }),
    );
    return topics.get(topic)?.partitions ?? [];
  }

  /** The client's `Admin` has no call for this. */
  async #reassign(topic: string, partitionIndex: number, replicas: number[]): Promise<void> {
    const { alterPartitionReassignmentsV0, Connection } = await import("@platformatic/kafka");
    const connection = new Connection("test-servers");
    const [host, port] = this.brokers[0]!.split(":") as [string, string];
    await connection.connect(host, Number(port));
    try {
      const topics = [{ name: topic, partitions: [{ partitionIndex, replicas }] }];
      await alterPartitionReassignmentsV0.api.async(connection, 10_000, true, topics);
    } finally {
      await connection.close();
    }
  }

  /** Whether the cluster counts that broker among those it can use. */
  async knows(id: number): Promise<boolean> {
    return this.#use(async (admin) => {
      const metadata = await admin.metadata({ topics: [], forceUpdate: true });
      return metadata.brokers.has(id);
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
