/** One of those who move the topic into the table. */
export interface Contestant {
  readonly name: string;
  /** In `consumers/`. */
  readonly script: string;
  readonly args: readonly string[];
}

export const westend: Contestant = { name: "Westend", script: "westend.ts", args: [] };
/** What it is to replace. */
export const homeGrown: Contestant = {
  name: "KafkaJS eachMessage",
  script: "each-message.ts",
  args: [],
};
/** The same with the setting that made it fastest: all partitions at once. */
export const homeGrownParallel: Contestant = {
  name: "KafkaJS eachMessage × 12",
  script: "each-message.ts",
  args: ["12"],
};
export const goodHomeGrown: Contestant = {
  name: "KafkaJS eachBatch × 12",
  script: "each-batch.ts",
  args: ["12"],
};
export const clientLoop: Contestant = {
  name: "client loop",
  script: "client-loop.ts",
  args: ["8"],
};

export const contestants: readonly Contestant[] = [
  homeGrown,
  homeGrownParallel,
  goodHomeGrown,
  clientLoop,
  westend,
];
