/**
 * What the mini-broker speaks: of each request one version, the newest without compact types.
 * Clients that know several agree on it by ApiVersions.
 */
export const apis = {
  Produce: { key: 0, version: 7 },
  Fetch: { key: 1, version: 6 },
  ListOffsets: { key: 2, version: 2 },
  Metadata: { key: 3, version: 7 },
  OffsetCommit: { key: 8, version: 7 },
  OffsetFetch: { key: 9, version: 5 },
  FindCoordinator: { key: 10, version: 1 },
  JoinGroup: { key: 11, version: 5 },
  Heartbeat: { key: 12, version: 3 },
  LeaveGroup: { key: 13, version: 3 },
  SyncGroup: { key: 14, version: 3 },
  ApiVersions: { key: 18, version: 1 },
  CreateTopics: { key: 19, version: 4 },
  DeleteTopics: { key: 20, version: 3 },
  InitProducerId: { key: 22, version: 1 },
} as const;

export type ApiName = keyof typeof apis;

/** The errors that the mini-broker answers with by itself; others can be injected by number. */
export const errors = {
  none: 0,
  offsetOutOfRange: 1,
  unknownTopicOrPartition: 3,
  offsetMetadataTooLarge: 12,
  illegalGeneration: 22,
  inconsistentGroupProtocol: 23,
  unknownMemberId: 25,
  rebalanceInProgress: 27,
  unsupportedVersion: 35,
  topicAlreadyExists: 36,
  outOfOrderSequence: 45,
  memberIdRequired: 79,
  fencedInstanceId: 82,
} as const;

const names = new Map<number, ApiName>(
  Object.entries(apis).map(([name, { key }]) => [key, name as ApiName]),
);

export function apiOf(key: number): ApiName | undefined {
  return names.get(key);
}
