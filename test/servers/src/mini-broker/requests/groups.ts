import type { Claim } from "../group.ts";
import { type Reader, Writer } from "../wire.ts";
import type { Handler } from "./handler.ts";

export const joinGroup: Handler = async (request, { store, error }) => {
  const group = request.string();
  const sessionTimeout = request.int32();
  const rebalanceTimeout = request.int32();
  const memberId = request.string();
  const instanceId = request.nullableString();
  request.string();
  const protocols = request.array((r) => ({ name: r.string(), metadata: Buffer.from(r.bytes()) }));
  const response = new Writer().int32(0);
  if (error !== 0)
    return response.int16(error).int32(-1).string("").string("").string(memberId).int32(0);

  const join = { memberId, instanceId, sessionTimeout, rebalanceTimeout, protocols };
  const joined = await store.group(group).join(join);
  response.int16(joined.error).int32(joined.generation).string(joined.protocol);
  response.string(joined.leader).string(joined.memberId);
  return response.array(joined.members, (member) =>
    response.string(member.id).string(member.instanceId).bytes(member.metadata),
  );
};

export const syncGroup: Handler = async (request, { store, error }) => {
  const group = request.string();
  const who = claim(request);
  const assignments = new Map(request.array((r) => [r.string(), Buffer.from(r.bytes())] as const));
  if (error !== 0) return new Writer().int32(0).int16(error).int32(0);
  const synced = await store.group(group).sync(who, assignments);
  return new Writer().int32(0).int16(synced.error).bytes(synced.assignment);
};

export const heartbeat: Handler = (request, { store, error }) => {
  const group = request.string();
  const who = claim(request);
  return new Writer().int32(0).int16(error || store.group(group).heartbeat(who));
};

export const leaveGroup: Handler = (request, { store, error }) => {
  const group = request.string();
  const members = request.array((r) => ({ id: r.string(), instanceId: r.nullableString() }));
  const response = new Writer().int32(0).int16(error);
  return response.array(members, ({ id, instanceId }) =>
    response
      .string(id)
      .string(instanceId)
      .int16(error || store.group(group).leave(id)),
  );
};

/** How members say who they are. */
export function claim(request: Reader): Claim {
  return {
    generation: request.int32(),
    memberId: request.string(),
    instanceId: request.nullableString(),
  };
}
