import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from "d3-scale";
import { line } from "d3-shape";

/** Axes start at zero, or are logarithmic. */
export interface Axis {
  readonly title: string;
  readonly logarithmic?: boolean | undefined;
}

export interface Plot {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly lines: readonly {
    readonly name: string;
    readonly points: readonly { readonly x: number; readonly y: number }[];
  }[];
}

const WIDTH = 720;
const HEIGHT = 400;
const MARGIN = { top: 40, right: 110, bottom: 50, left: 80 };
/** Told apart by the colour-blind, too (Okabe and Ito). */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"];

type Scale = ScaleContinuousNumeric<number, number>;

/** Lines over two axes, as an SVG document. d3 knows where ticks belong and how paths are written; it needs no DOM. */
export function plot({ title, x, y, lines }: Plot): string {
  const all = lines.flatMap(({ points }) => points);
  const bottom = HEIGHT - MARGIN.bottom;
  const xScale = scale(
    x,
    all.map((point) => point.x),
    [MARGIN.left, WIDTH - MARGIN.right],
  );
  const yScale = scale(
    y,
    all.map((point) => point.y),
    [bottom, MARGIN.top],
  );
  const path = line<{ x: number; y: number }>()
    .x((point) => xScale(point.x))
    .y((point) => yScale(point.y));
  const content = [
    text(title, WIDTH / 2, 22, "middle", 16),
    ...ticks(xScale, x).map(([at, label]) => text(label, at, bottom + 18, "middle")),
    ...ticks(yScale, y).flatMap(([at, label]) => [
      text(label, MARGIN.left - 8, at + 4, "end"),
      `<path d="M${MARGIN.left},${at}H${WIDTH - MARGIN.right}" stroke="#ddd"/>`,
    ]),
    text(x.title, (MARGIN.left + WIDTH - MARGIN.right) / 2, HEIGHT - 12, "middle"),
    text(y.title, MARGIN.left - 8, MARGIN.top - 12, "end"),
    ...lines.flatMap(({ name, points }, index) => {
      const colour = COLOURS[index % COLOURS.length] ?? "black";
      const last = points.at(-1);
      return [
        `<path d="${path([...points]) ?? ""}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        last === undefined
          ? ""
          : text(name, xScale(last.x) + 6, yScale(last.y) + 4, "start", 12, colour),
      ];
    }),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    ...content,
    "</svg>",
    "",
  ].join("\n");
}

function scale(axis: Axis, values: readonly number[], range: [number, number]): Scale {
  const least = Math.min(...values);
  const most = Math.max(...values);
  return axis.logarithmic === true
    ? scaleLog([least, most], range)
    : scaleLinear([Math.min(0, least), most], range).nice();
}

function ticks(scale: Scale, axis: Axis): [at: number, label: string][] {
  const format = scale.tickFormat(axis.logarithmic === true ? 5 : 6, "~s");
  return scale
    .ticks(6)
    .map((tick): [number, string] => [scale(tick), format(tick)])
    .filter(([, label]) => label !== "");
}

function text(
  content: string,
  x: number,
  y: number,
  anchor: "start" | "middle" | "end",
  size = 12,
  colour = "#333",
): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}" fill="${colour}">${escaped}</text>`;
}
