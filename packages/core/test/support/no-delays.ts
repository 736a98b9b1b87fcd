/** What a back-off of one's own may do instead of giving milliseconds. */
export const NO_DELAYS: [does: string, delay: () => any][] = [
  [
    "throws",
    () => {
      throw new Error("the back-off");
    },
  ],
  ["gives NaN", () => Number.NaN],
  ["gives Infinity", () => Infinity],
  ["gives less than nothing", () => -1],
  ["gives a string", () => "100"],
  ["gives a bigint", () => 100n],
  ["gives nothing", () => undefined],
];
