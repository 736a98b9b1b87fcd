import { Session } from "node:inspector/promises";
import { collectGarbage } from "./harness.ts";

interface ProfileNode {
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly selfSize: number;
  readonly children: readonly ProfileNode[];
}

export interface Allocation {
  readonly bytes: number;
  /** Who allocated most. */
  readonly top: readonly { readonly where: string; readonly bytes: number }[];
}

/** All that is allocated while the work runs, collected by then or not; sampled every so many bytes. */
export async function allocated(work: () => Promise<unknown>, every = 4096): Promise<Allocation> {
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.enable");
  await session.post("HeapProfiler.startSampling", {
    samplingInterval: every,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  } as object);
  await work();
  const { profile } = await session.post("HeapProfiler.stopSampling");
  session.disconnect();
  const sizes = new Map<string, number>();
  add(profile.head, sizes);
  const top = [...sizes]
    .toSorted(([, a], [, b]) => b - a)
    .map(([where, bytes]) => ({ where, bytes }));
  return { bytes: top.reduce((sum, { bytes }) => sum + bytes, 0), top: top.slice(0, 15) };
}

function add(node: ProfileNode, sizes: Map<string, number>): void {
  const { functionName, url, lineNumber } = node.callFrame;
  const file = url.split("/").slice(-2).join("/");
  const where = `${functionName || "(anonymous)"} ${file}:${lineNumber + 1}`;
  if (node.selfSize > 0) sizes.set(where, (sizes.get(where) ?? 0) + node.selfSize);
  for (const child of node.children) add(child, sizes);
}

/** What is reachable: on the heap, and in buffers beside it. */
export async function reachable(): Promise<number> {
  // Finalizers run between two collections.
  for (let times = 0; times < 3; times++) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
