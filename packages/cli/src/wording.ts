const WHOLE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const FINE = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });

/** `12,345` */
export function count(value: number): string {
  return WHOLE.format(value);
}

/** `1,204/s`; slow ones with a decimal. */
export function rate(perSecond: number): string {
  return `${(perSecond < 10 ? FINE : WHOLE).format(perSecond)}/s`;
}

/** Milliseconds in the unit that fits: `0.4 ms`, `48 ms`, `12.3 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 9.95) return `${FINE.format(milliseconds)} ms`;
  if (milliseconds < 999.5) return `${WHOLE.format(milliseconds)} ms`;
  if (milliseconds < 59_950) return `${FINE.format(milliseconds / 1000)} s`;
  const seconds = Math.round(milliseconds / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${WHOLE.format(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

/** `1 pipeline`, `3 pipelines` */
export function plural(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}
