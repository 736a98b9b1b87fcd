import { styleText } from "node:util";

/** Colours text, or does not. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
}

/** Colours for a stream: none unless it is a terminal that has some; NO_COLOR and `--no-color` switch them off. */
export function paintFor(stream: NodeJS.WriteStream, wanted: boolean): Paint {
  // hasColors() knows NO_COLOR, FORCE_COLOR and TERM=dumb.
  const colours = wanted && stream.isTTY && stream.hasColors();
  const style = (format: "bold" | "dim" | "red" | "yellow") => (text: string) =>
    colours ? styleText(format, text, { validateStream: false }) : text;
  return { bold: style("bold"), dim: style("dim"), red: style("red"), yellow: style("yellow") };
}
