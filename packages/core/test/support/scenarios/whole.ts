import type { StopReport } from "westend";
import { type Delivery, describeDelivery, dueOutcome } from "./book.ts";
import type { PlannedSource } from "./planned-source.ts";
import { demand } from "./promises.ts";

/** A message pushed from code, and what its pusher was told. */
export interface Pushed {
  readonly delivery: Delivery;
  outcome: string | undefined;
}

/** Of a pipeline that ended by itself, and of which nothing was taken away: everything has been dealt with. */
export function demandWhole(
  report: StopReport,
  { deliveries, waiting }: PlannedSource,
  pushed: readonly Pushed[],
): void {
  const detail = (): string => JSON.stringify(report);
  demand(waiting.length === 0, "nothing is left in a source that has ended", () => waiting.join());
  demand(report.released + report.abandoned === 0, "nothing is given up", detail);
  const taken = pushed.filter(({ outcome }) => outcome !== "released" && outcome !== "refused");
  const received = deliveries.length + taken.length;
  demand(report.received === received, "everything is received", detail);
  for (const delivery of deliveries) {
    const dealt = delivery.state === "told" || delivery.refusals >= 5 || delivery.earlyTaken;
    demand(dealt, "nothing is lost", () => describeDelivery(delivery));
  }
  const all = [...deliveries, ...pushed.map(({ delivery }) => delivery)];
  for (const outcome of ["succeeded", "failed", "deadLettered", "dropped"] as const) {
    const due = all.filter((delivery) => dueOutcome(delivery) === outcome).length;
    demand(
      report[outcome] === due,
      "a report tells the truth",
      () => `${due} ${outcome}: ${detail()}`,
    );
  }
}
