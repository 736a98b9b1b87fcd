import type { Clock } from "../clock.ts";
import type { PipelineStats, PipelineStatus, PipelineTopology } from "../report.ts";
import type { SettledGroup } from "./account.ts";
import type { Batching } from "./batching.ts";
import type { Delivery } from "./delivery.ts";
import type { FailureStage } from "./failure-stage.ts";
import type { Ledger } from "./ledger.ts";
import type { Processing } from "./processing.ts";
import type { Settings } from "./settings.ts";
import type { Sources } from "./sources.ts";
import { Histogram, Rates } from "./statistics.ts";

export interface FiguresOptions {
  readonly clock: Clock;
  readonly settings: Settings;
  readonly ledger: Ledger;
  readonly sources: Sources;
  readonly processing: Processing;
  readonly batching: Batching;
  readonly failures: FailureStage;
}

interface Shown {
  readonly name: string;
  readonly concurrency: number;
}

/** Messages received and settled, milliseconds that processors were busy, and those of each batcher. */
type Counters = [received: number, settled: number, busy: number, ...batchers: number[]];

/** What a running pipeline shows of itself. */
export class Figures {
  readonly #options: FiguresOptions;
  readonly #latency = new Histogram();
  readonly #rates: Rates;

  constructor(options: FiguresOptions) {
    this.#options = options;
    this.#rates = new Rates(options.clock, () => this.#counters());
  }

  acknowledged({ succeeded, failed }: SettledGroup, now: number): void {
    this.#record(succeeded, now);
    this.#record(failed, now);
    this.#rates.sample(now);
  }

  stats(status: PipelineStatus): PipelineStats {
    const { settings, ledger, sources, processing, batching, failures } = this.#options;
    const [received, settled, busy, ...batchers] = this.#rates.perSecond() as Counters;
    return {
      ...ledger.report(),
      status,
      inFlight: ledger.inFlight,
      bytes: ledger.bytes,
      maxInFlight: sources.maxInFlight,
      maxBytes: settings.maxBytes,
      rate: { received, settled },
      latency: this.#latency.percentiles(),
      producers: sources.stats(),
      processor: processing.stats(busy / 1000),
      batchers: Object.fromEntries(
        batching.all.map((batcher, index) => [
          batcher.name,
          batcher.stats((batchers[index] as number) / 1000),
        ]),
      ),
      deadLettersPending: failures.pending,
    };
  }

  topology(): PipelineTopology {
    const { settings, processing, batching } = this.#options;
    return {
      name: settings.name,
      producers: settings.sources.map(shown),
      processor: { concurrency: processing.concurrency },
      batchers: batching.all.map(shown),
    };
  }

  /** What came with one pull has the same latency: one entry for each run of it. */
  #record(deliveries: readonly Delivery[], now: number): void {
    let first = 0;
    for (let index = 1; index <= deliveries.length; index++) {
      const { arrival } = deliveries[first] as Delivery;
      if (arrival === deliveries[index]?.arrival) continue;
      this.#latency.record(now - arrival.at, index - first);
      first = index;
    }
  }

  #counters(): Counters {
    const { ledger, processing, batching } = this.#options;
    const { received, succeeded, failed, deadLettered, dropped } = ledger.report();
    const settled = succeeded + failed + deadLettered + dropped;
    return [received, settled, processing.busy, ...batching.all.map(({ busy }) => busy)];
  }
}

function shown({ name, concurrency }: Shown): Shown {
  return { name, concurrency };
}
