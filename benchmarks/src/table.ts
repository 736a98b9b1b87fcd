/** A measured value with its unit: messages a second, milliseconds, bytes, a ratio (no unit). */
export interface Figure {
  readonly value: number;
  readonly unit: Unit;
}

export type Unit = "msg/s" | "s" | "ms" | "µs" | "bytes" | "×" | "";

/** What is promised; a figure is judged by `must`, and by `aim` where there is one. */
export interface Bar {
  readonly is: "at least" | "at most";
  readonly must: number;
  readonly aim?: number | undefined;
}

/** Of a ratio taken round by round: the median, the least and the greatest. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Row {
  readonly workload: string;
  readonly westend: Figure;
  /** What it is compared with. */
  readonly other?: { readonly name: string; readonly figure?: Figure | undefined } | undefined;
  readonly ratio?: Spread | undefined;
  /** Holds for the ratio, or for Westend's own figure where there is none; in the figure's unit. */
  readonly bar?: Bar | undefined;
  /** The version of Node it was measured on. */
  readonly node?: string | undefined;
}

export type Verdict = "aim" | "must" | "MISSED" | "";

/** Which bar a row reaches: `aim` includes `must`; nothing where there is no bar. */
export function verdict({ westend, ratio, bar }: Row): Verdict {
  if (bar === undefined) return "";
  const value = ratio === undefined ? westend.value : ratio.median;
  const meets = (limit: number): boolean =>
    bar.is === "at least" ? value >= limit : value <= limit;
  if (!meets(bar.must)) return "MISSED";
  return bar.aim !== undefined && meets(bar.aim) ? "aim" : "must";
}

const HEADINGS = [
  "workload",
  "Westend",
  "against",
  "ratio (min–max)",
  "must",
  "aim",
  "met",
  "Node",
];

/** Plain text: a line for each row, columns aligned, the workload named once. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map((row, index) => cells(row, rows[index - 1]?.workload === row.workload));
  const all = [HEADINGS, ...lines];
  const widths = HEADINGS.map((_, column) =>
    Math.max(...all.map((line) => line[column]?.length ?? 0)),
  );
  const format = (line: readonly string[]): string =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [format(HEADINGS), rule, ...lines.map(format)].join("\n");
}

function cells(row: Row, repeated: boolean): string[] {
  const { workload, westend, other, ratio, bar, node } = row;
  const against =
    other === undefined ? "" : `${other.name}${other.figure ? ` ${show(other.figure)}` : ""}`;
  const unit = ratio === undefined ? westend.unit : "×";
  const sign = bar?.is === "at most" ? "≤" : "≥";
  const limit = (value: number | undefined): string =>
    value === undefined ? "" : `${sign} ${show({ value, unit })}`;
  return [
    repeated ? "" : workload,
    show(westend),
    against,
    ratio === undefined ? "" : `${short(ratio.median)} (${short(ratio.min)}–${short(ratio.max)})`,
    limit(bar?.must),
    limit(bar?.aim),
    verdict(row),
    bar === undefined ? "" : (node ?? ""),
  ];
}

/** A figure as people read it: `1.2 M/s`, `4.5 ms`, `310 B`. */
export function show({ value, unit }: Figure): string {
  switch (unit) {
    case "msg/s":
      return value >= 1e6 ? `${short(value / 1e6)} M/s` : `${short(value / 1e3)} k/s`;
    case "bytes":
      if (Math.abs(value) >= 1e6) return `${short(value / 1e6)} MB`;
      return Math.abs(value) >= 10_000 ? `${short(value / 1e3)} kB` : `${Math.round(value)} B`;
    case "s":
    case "ms":
    case "µs":
      return `${short(value)} ${unit}`;
    case "×":
      return `${short(value)} ×`;
    case "":
      return short(value);
    default:
      return unit satisfies never;
  }
}

function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return String(Math.round(value));
  return value.toFixed(size >= 10 ? 1 : 2);
}
