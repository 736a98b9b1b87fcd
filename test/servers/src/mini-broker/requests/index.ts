import type { ApiName } from "../protocol.ts";
import * as cluster from "./cluster.ts";
import * as groups from "./groups.ts";
import type { Handler } from "./handler.ts";
import * as offsets from "./offsets.ts";
import * as records from "./records.ts";

/** Who answers what. */
export const handlers: Readonly<Record<ApiName, Handler>> = {
  Produce: records.produce,
  Fetch: records.fetch,
  ListOffsets: records.listOffsets,
  Metadata: cluster.metadata,
  OffsetCommit: offsets.offsetCommit,
  OffsetFetch: offsets.offsetFetch,
  FindCoordinator: cluster.findCoordinator,
  JoinGroup: groups.joinGroup,
  Heartbeat: groups.heartbeat,
  LeaveGroup: groups.leaveGroup,
  SyncGroup: groups.syncGroup,
  ApiVersions: cluster.apiVersions,
  CreateTopics: cluster.createTopics,
  DeleteTopics: cluster.deleteTopics,
  InitProducerId: cluster.initProducerId,
};
