import { batchingOf, type Look, settledOf } from "./look.ts";
import type { Paint } from "./paint.ts";
import type { Trouble } from "./trouble-tally.ts";
import { count, duration, plural, rate } from "./wording.ts";

/** Kinds of trouble an account lists at most. */
const TROUBLES = 5;

const PARTS = [
  ["succeeded", "succeeded"],
  ["failed", "failed"],
  ["deadLettered", "dead-lettered"],
  ["dropped", "dropped"],
  ["released", "released"],
  ["abandoned", "abandoned"],
] as const;

/** What became of every message of a pipeline, as a table that adds up, and how fast it was. */
export function accountText(look: Look, troubles: readonly Trouble[], paint: Paint): string {
  const { pipeline, elapsed, stats } = look;
  const rows: [string, number][] = PARTS.map(([part, label]) => [label, stats[part]]);
  const listed = rows.reduce((sum, [, value]) => sum + value, 0);
  if (listed < stats.received) rows.push(["in flight", stats.received - listed]);
  const width = Math.max(
    ...rows.map(([, value]) => count(value).length),
    count(stats.received).length,
  );
  const row = (label: string, value: number): string =>
    `  ${label.padEnd(14)}${count(value).padStart(width)}`;
  return [
    `${paint.bold(pipeline)}  ${headOf(look, paint)} after ${duration(elapsed)}`,
    row("received", stats.received),
    paint.dim(`  ${"─".repeat(14 + width)}`),
    ...rows.map(([label, value]) => row(label, value)),
    "",
    ...paceLines(look),
    ...troubleLines(troubles, paint),
  ].join("\n");
}

/** How it ended; a drain that has not brought everything to its end is not called one without more. */
function headOf({ ending, stats }: Look, paint: Paint): string {
  if (ending === "drained" && stats.abandoned > 0) return paint.red("drained in part");
  return ending === "died" ? paint.red(ending) : ending;
}

function paceLines({ elapsed, stats }: Look): string[] {
  const batching = batchingOf(stats);
  const { p50, p99 } = stats.latency;
  const lines = [
    ["throughput", rate(elapsed > 0 ? (settledOf(stats) * 1000) / elapsed : 0)],
    ["latency", `p50 ${duration(p50)}, p99 ${duration(p99)}`],
  ];
  if (batching !== undefined) {
    const { batches, messages, writesSaved } = batching;
    const saved = `${plural(messages, "message")}, ${plural(writesSaved, "write")} saved`;
    lines.unshift(["batches", `${count(batches)} (${saved})`]);
  }
  return lines.map(([label = "", value]) => `  ${label.padEnd(14)}${value}`);
}

function troubleLines(troubles: readonly Trouble[], paint: Paint): string[] {
  if (troubles.length === 0) return [];
  const lines = troubles
    .slice(0, TROUBLES)
    .map((trouble) => `  ${count(trouble.count)} × ${trouble.what}: ${trouble.error}`);
  const rest = troubles.length - TROUBLES;
  if (rest > 0) lines.push(`  and ${plural(rest, "other error")}`);
  return ["", ...lines.map((line) => paint.yellow(line))];
}
