import type { Clock } from "westend";
import type { Position } from "../../../src/client.ts";
import type { SimulatedDriver } from "./driver.ts";
import { Log } from "./log.ts";

export const TOPIC = "events";

/** What is to go wrong with the next calls of one kind. */
export type Fault = "fails" | "fails afterwards" | "comes late" | "is answered late" | "is refused";
export type Call = "poll" | "commit" | "committed" | "offsets" | "leaders" | "transaction";

/** Milliseconds a call takes, and a slow one. */
const FAST = 1;
const SLOW = 2500;

/** Who owns a partition, for the how-manieth time it has an owner, and what was committed. */
export interface Seat {
  owner: SimulatedDriver | undefined;
  term: number;
  committed: Position;
}

/** A broker and a group coordinator in memory; who owns what is up to the test. */
export class SimulatedCluster {
  readonly clock: Clock;
  readonly logs: readonly Log[];
  readonly seats: readonly Seat[];
  readonly #faults = new Map<Call, Fault[]>();
  /** Milliseconds a poll waits for records. */
  maxWait = 5000;
  /** Called for every commit that the broker takes. */
  committed: (partition: number, seat: Seat, position: Position) => void = () => undefined;
  /** Ends of waits for new records. */
  readonly waiting = new Set<() => void>();

  constructor(clock: Clock, partitions: number) {
    this.clock = clock;
    this.logs = Array.from({ length: partitions }, () => new Log());
    this.seats = this.logs.map((_, partition) => ({
      owner: undefined,
      term: 0,
      committed: { topic: TOPIC, partition, offset: -1, metadata: "" },
    }));
  }

  seat(partition: number): Seat {
    return this.seats[partition] as Seat;
  }

  log(partition: number): Log {
    return this.logs[partition] as Log;
  }

  append(partition: number, records: number): void {
    this.log(partition).append(records);
    for (const end of [...this.waiting]) end();
  }

  /** The next such call goes wrong. */
  spoil(call: Call, fault: Fault): void {
    this.#faults.set(call, [...(this.#faults.get(call) ?? []), fault]);
  }

  heal(): void {
    this.#faults.clear();
  }

  /** A call to the broker: takes its time, and goes wrong as it is to. */
  async call<Result>(name: Call, run: () => Result, refuse: () => Result = run): Promise<Result> {
    const fault = this.#faults.get(name)?.shift();
    await this.pass(fault === "comes late" ? SLOW : FAST);
    if (fault === "fails") throw new Error(`${name} fails`);
    const result = fault === "is refused" ? refuse() : run();
    if (fault === "is answered late") await this.pass(SLOW);
    if (fault === "fails afterwards") throw new Error(`${name} is not answered`);
    return result;
  }

  pass(milliseconds: number): Promise<void> {
    return new Promise((resolve) => void this.clock.setTimer(resolve, milliseconds));
  }

  /** Takes a partition from its owner, whether that one knows or not. */
  free(partition: number): void {
    const seat = this.seat(partition);
    seat.owner = undefined;
    seat.term++;
  }
}
