import { describe, expect, it } from "vitest";
import { type Move, movesOf, moves, playMoves } from "./support/simulation/moves.ts";

/** All that eight steps can come to, which takes minutes; else what takes a second. */
const THOROUGH = process.env["WESTEND_PROPERTY_RUNS"] !== undefined;

/** What a message goes through: it fails, is tried again, goes into a batch that fails, is tried again and committed. */
const SEEDS = THOROUGH ? [1, 2, 3] : [1];
/** Milliseconds it may take. */
const PATIENCE = THOROUGH ? 1_200_000 : 60_000;

describe("a partition that is taken away, at any moment of what its messages go through,", () => {
  it(
    "loses nothing, repeats nothing that was committed, and keeps the order, whatever becomes of it next",
    async () => {
      const failures: string[] = [];
      for (const seed of SEEDS) {
        for (let moment = 0; moment < (THOROUGH ? 40 : 24); moment++) {
          for (const then of movesOf(THOROUGH ? 3 : 1)) {
            for (const first of moves.slice(1)) {
              const all: Move[] = [
                ...Array.from({ length: moment }, () => moves[0]),
                first,
                ...then,
              ];
              for (const problem of await playMoves(seed, all)) {
                failures.push(
                  `${seed}, after ${moment}: ${[first, ...then].join(", ")}: ${problem}`,
                );
              }
            }
          }
        }
      }
      expect(failures).toEqual([]);
    },
    PATIENCE,
  );

  it(
    `comes to the same in every order of ${THOROUGH ? 8 : 4} of these`,
    async () => {
      const failures: string[] = [];
      for (const all of movesOf(THOROUGH ? 8 : 4)) {
        for (const problem of await playMoves(1, all))
          failures.push(`${all.join(", ")}: ${problem}`);
      }
      expect(failures).toEqual([]);
    },
    PATIENCE,
  );
});
