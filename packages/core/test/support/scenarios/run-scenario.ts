import type { StopReport } from "westend";
import { type VirtualClock, virtualClock } from "../../../src/testing/virtual-clock.ts";
import { Topology } from "../../../src/topology/topology.ts";
import { sumOf } from "../stopping.ts";
import { describeDelivery, dueOutcome, makeDelivery } from "./book.ts";
import type { EventPlan, Moment, Scenario } from "./plan.ts";
import { plannedSettings } from "./planned-pipeline.ts";
import { orderOf } from "./planned-processor.ts";
import { PlannedSource } from "./planned-source.ts";
import { demandWhole, type Pushed } from "./whole.ts";
import { countingClock, seededRandom } from "./seams.ts";
import { checkPromises, demand, trustPromises } from "./promises.ts";

/** Steps of the clock after which a pipeline is taken to hang. */
const MANY = 20_000;
/** What stopping may take beyond its deadline. */
const GRACE = 1000;
/** Milliseconds after which an endless source is stopped. */
const ENOUGH = 5000;

/** Plays a scenario to its end on virtual time; throws at the first promise that is broken. */
export async function runScenario(scenario: Scenario): Promise<void> {
  trustPromises();
  const run = new ScenarioRun(scenario);
  const stray = (reason: unknown): void => run.note(reason);
  process.on("unhandledRejection", stray);
  try {
    await run.play();
  } finally {
    process.off("unhandledRejection", stray);
  }
  checkPromises();
}

class ScenarioRun {
  readonly #scenario: Scenario;
  readonly #clock: VirtualClock = virtualClock();
  /** The pipeline's own timers. */
  readonly #timers = new Set<unknown>();
  readonly #source: PlannedSource;
  readonly #topology: Topology;
  readonly #pushed: Pushed[] = [];
  readonly #calls = new Map<Moment, number>();
  readonly #limits: { maxInFlight: number; concurrency: number };
  readonly #batchers: { size: number; concurrency: number }[];
  /** The most that may be in flight. */
  #flying: number;
  #deadline = Infinity;
  #disturbed = false;
  #over: { report?: StopReport; error?: unknown } | undefined;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    const { maxInFlight, processor, batchers, events } = scenario;
    this.#limits = { maxInFlight, concurrency: processor.concurrency };
    this.#flying = maxInFlight;
    this.#batchers = batchers.map(({ size, concurrency }) => ({ size, concurrency }));
    this.#source = new PlannedSource({
      clock: this.#clock,
      plan: scenario.source,
      messages: scenario.messages,
      prepares: processor.preparing !== undefined,
      called: (what) => this.#called(what),
      pulls: () => this.#lookAtRoom(),
    });
    this.#topology = this.#define();
    // It would never end by itself.
    if (scenario.source.endless) {
      const stop: EventPlan = { do: "stop", timeout: GRACE, at: "time", nth: ENOUGH };
      this.#clock.setTimer(() => this.#do(stop), ENOUGH);
    }
    for (const event of events) {
      if (event.at === "time") this.#clock.setTimer(() => this.#do(event), event.nth);
    }
  }

  /** Something threw where nobody was to catch it. */
  note(reason: unknown): void {
    try {
      demand(false, "nothing is thrown at nobody", () =>
        String((reason as Error)?.stack ?? reason),
      );
    } catch {
      // It is kept, and thrown where it is waited for.
    }
  }

  async play(): Promise<void> {
    const { done } = this.#topology;
    done.then(
      (report) => (this.#over = { report }),
      (error) => (this.#over = { error }),
    );
    // What kills it is seen in `done`.
    this.#topology.start().catch(() => {});
    for (let steps = 0; this.#over === undefined; steps++) {
      demand(steps < MANY, "whatever can end, ends", () => this.#state());
      const moved = await this.#clock.next(() => this.#over === undefined);
      this.#look();
      if (moved || this.#over !== undefined) continue;
      demand(this.#topology.status === "paused", "nothing hangs", () => this.#state());
      this.#topology.resume();
    }
    const took = this.#clock.now();
    demand(
      took <= this.#deadline + GRACE,
      "stopping ends by its deadline",
      () => `It took ${took}`,
    );
    this.#lookAtEnd();
    // What is late must not do harm any more.
    for (let steps = 0; steps < 100 && (await this.#clock.next()); steps++) checkPromises();
    demand(this.#timers.size === 0, "no timer is left");
    this.#lookAtEnd();
  }

  #define(): Topology {
    const settings = plannedSettings({
      clock: this.#clock,
      scenario: this.#scenario,
      source: this.#source,
      limits: this.#limits,
      batchers: this.#batchers,
      planOf: (id) => this.#planOf(id),
      called: (what) => this.#called(what),
      draining: () => this.#topology.status === "draining",
    });
    const clock = countingClock(this.#clock, this.#timers);
    const random = seededRandom(this.#scenario.seed);
    return new Topology(settings, { clock, random, ended: () => {} });
  }

  #planOf(id: number): Scenario["messages"][number] {
    const pushed = this.#pushed.find(({ delivery }) => delivery.id === id);
    return pushed?.delivery.plan ?? (this.#scenario.messages[id] as Scenario["messages"][number]);
  }

  #called(what: Moment): void {
    const nth = (this.#calls.get(what) ?? 0) + 1;
    this.#calls.set(what, nth);
    for (const event of this.#scenario.events) {
      if (event.at === what && event.nth === nth) this.#do(event);
    }
  }

  #do(event: EventPlan): void {
    const topology = this.#topology;
    if (this.#over !== undefined) return;
    switch (event.do) {
      case "pause":
        topology.pause();
        this.#clock.setTimer(() => topology.resume(), 2000);
        return;
      case "resume":
        topology.resume();
        return;
      case "wake":
        this.#source.wake();
        return;
      case "push":
        for (const plan of event.messages) this.#push(plan);
        return;
      case "stop":
        this.#disturbed = true;
        if (topology.status === "running" || topology.status === "paused") {
          this.#deadline = this.#clock.now() + event.timeout;
        }
        void topology.stop(event.timeout);
        return;
      case "revoke":
        this.#disturbed = true;
        void this.#source.revoke(event.odd, event.timeout);
        return;
      case "limit":
        this.#lookAtFlight();
        this.#limits.maxInFlight = event.maxInFlight;
        this.#flying = Math.max(event.maxInFlight, topology.stats().inFlight);
        topology.update({ maxInFlight: event.maxInFlight });
        return;
      case "rate":
        topology.update({
          rateLimit: event.messages === null ? null : { messages: event.messages, interval: 40 },
        });
        return;
      case "concurrency":
        this.#limits.concurrency = event.concurrency;
        topology.update({ processor: { concurrency: event.concurrency } });
        return;
      case "batcher":
        this.#resize(event);
    }
  }

  #resize(event: EventPlan & { readonly do: "batcher" }): void {
    const { size, timeout, concurrency } = event;
    const limits = this.#batchers[event.batcher];
    if (limits === undefined) return;
    // What was emitted under a higher limit may still come.
    limits.size = Math.max(limits.size, size);
    limits.concurrency = concurrency;
    this.#topology.update({ batchers: { [`b${event.batcher}`]: { size, timeout, concurrency } } });
  }

  #push(plan: Scenario["messages"][number]): void {
    const id = 1000 + this.#pushed.length;
    const { partitions } = this.#scenario.processor;
    const key = orderOf({ plan }, partitions);
    const delivery = makeDelivery({ id, plan, session: -1, pushed: true, key });
    const entry: Pushed = { delivery, outcome: undefined };
    this.#pushed.push(entry);
    const options = { key: delivery.incoming.key, metadata: delivery };
    this.#topology.push([id], options).then(
      ([outcome]) => (entry.outcome = outcome?.outcome ?? "nothing"),
      () => (entry.outcome = "refused"),
    );
  }

  /** Where a limit was lowered, nothing comes in until less is in flight. */
  #lookAtFlight(): void {
    const { inFlight } = this.#topology.stats();
    demand(
      inFlight <= this.#flying,
      "no more is in flight than maxInFlight",
      () => `${inFlight} of ${this.#flying}`,
    );
    this.#flying = Math.max(this.#limits.maxInFlight, inFlight);
  }

  /** At the moment a pull is made. */
  #lookAtRoom(): void {
    this.#lookAtFlight();
    const { source, events } = this.#scenario;
    // A pull that waits reserves no room: what is pushed meanwhile, or what a limit takes away, the source has given all the same.
    const crossed = events.some((event) => event.do === "push" || event.do === "limit");
    if (source.excess > 0 || crossed) return;
    const { maxInFlight } = this.#limits;
    const asked = this.#source.asked;
    const { inFlight } = this.#topology.stats();
    // What its bytes keep waiting outside is out of the source, too, but not in flight.
    const ample = this.#scenario.maxBytes >= 1_000_000;
    const taken = ample ? Math.max(this.#source.out.length, inFlight) : inFlight;
    demand(
      taken + asked <= maxInFlight,
      "no more is taken than maxInFlight",
      () => `${taken} taken and ${asked} asked for of ${maxInFlight}`,
    );
  }

  #look(): void {
    checkPromises();
    this.#lookAtFlight();
    const { source, maxBytes, events } = this.#scenario;
    const { inFlight, bytes } = this.#topology.stats();
    const running = this.#topology.status === "running";
    demand(this.#topology.violations === 0, "the ledger never has to refuse a step");
    demand(inFlight >= 0 && bytes >= 0, "no figure is negative");
    const { out } = this.#source;
    const pushes = events.some((event) => event.do === "push");
    if (source.sessions === 1 && source.failures.length === 0 && !pushes && running) {
      demand(bytes <= maxBytes || inFlight === 1, "no more is in flight than maxBytes");
      // A source that is asked for less than its next message has gives it all the same; it waits until there is room.
      const held = out.slice(0, -1).reduce((sum, { plan }) => sum + plan.size, 0);
      const measured = source.measures && source.excess === 0;
      demand(held <= maxBytes || !measured, "no more is held than maxBytes and one message");
    }
    // One that is larger than its session's part of the budget is taken when the session has no other.
    const largest = 30 * (source.sessions + source.failures.length);
    demand(bytes <= maxBytes + largest || !running, "no more is in flight than maxBytes");
    demand(
      this.#clock.now() <= this.#deadline + GRACE || this.#over !== undefined,
      "stopping ends by its deadline",
    );
  }

  #lookAtEnd(): void {
    this.#look();
    const { report, error } = this.#over as { report?: StopReport; error?: unknown };
    const stats = this.#topology.stats();
    demand(sumOf(stats) === stats.received, "a report adds up", () => JSON.stringify(stats));
    demand(this.#timers.size === 0, "no timer is left");
    demand(
      report !== undefined || JSON.stringify(this.#scenario).includes('"stop"'),
      "no pipeline dies unasked",
      () => String((error as Error)?.stack),
    );
    const { deliveries } = this.#source;
    for (const delivery of deliveries) {
      const detail = (): string => describeDelivery(delivery);
      demand(delivery.state !== "out", "every session is closed in the end", detail);
      demand(
        !delivery.unit.running || error !== undefined || this.#disturbed,
        "nothing runs on",
        detail,
      );
    }
    for (const { delivery, outcome } of this.#pushed) {
      const detail = (): string => `${outcome} of ${describeDelivery(delivery)}`;
      demand(outcome !== undefined, "every push is answered", detail);
      const own =
        ["released", "abandoned", "refused"].includes(outcome) ||
        delivery.plan.last.acknowledgesNow ||
        delivery.plan.attempts.some((one) => one.acknowledgesNow);
      demand(own || dueOutcome(delivery) === outcome, "a push is told the truth", detail);
    }
    if (report === undefined || this.#disturbed) return;
    demand(this.#topology.keys === 0, "no key is left in use");
    demandWhole(report, this.#source, this.#pushed);
  }

  #state(): string {
    const { out } = this.#source;
    return `${JSON.stringify(this.#topology.stats())} ${out.map(describeDelivery).join("; ")}`;
  }
}
