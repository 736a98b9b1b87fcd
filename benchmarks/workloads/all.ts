import type { Workload } from "../src/workload.ts";
import { allocation } from "./allocation.ts";
import { batchAsync } from "./batch-async.ts";
import { batchSync } from "./batch-sync.ts";
import { halfLoad } from "./half-load.ts";
import { headOfLine } from "./head-of-line.ts";
import { idleProcessors } from "./idle-processors.ts";
import { inFlight } from "./in-flight.ts";
import { jsonBatch } from "./json-batch.ts";
import { keyLatency } from "./key-latency.ts";
import { latency } from "./latency.ts";
import { memory } from "./memory.ts";
import { noopAsync } from "./noop-async.ts";
import { noopSync } from "./noop-sync.ts";
import { orderPerKey } from "./order-per-key.ts";
import { readAhead } from "./read-ahead.ts";
import { retryTimeout } from "./retry-timeout.ts";
import { scaling } from "./scaling.ts";
import { start } from "./start.ts";
import { telemetry } from "./telemetry.ts";
import { timerGap } from "./timer-gap.ts";
import { waiting } from "./wait.ts";

/** In the order of performance.md, section 2. */
export const workloads: readonly Workload[] = [
  noopAsync,
  noopSync,
  batchAsync,
  batchSync,
  orderPerKey,
  retryTimeout,
  jsonBatch,
  waiting,
  keyLatency,
  idleProcessors,
  latency,
  halfLoad,
  timerGap,
  headOfLine,
  readAhead,
  inFlight,
  telemetry,
  allocation,
  scaling,
  start,
  memory,
];
