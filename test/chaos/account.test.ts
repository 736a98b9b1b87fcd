import { expect, it } from "vitest";
import { accountOf, type Recorded, type Row } from "./support/account.ts";

/** Rows of partition 0, one for each place, in the order in which they were written. */
const rows = (places: readonly number[], owner = "m1#1"): Row[] =>
  places.map((place, index) => ({ seq: index + 1, owner, part: 0, place, key: "k", id: place }));

const draw = (written: readonly Row[], records: readonly Recorded[] = []) =>
  accountOf(new Map([[0, 4]]), written, records, new Set());

it("finds nothing wrong where every place has its row", () => {
  expect(draw(rows([0, 1, 2, 3]))).toEqual({
    produced: 4,
    rows: 4,
    lost: [],
    repeated: 0,
    repeatedThoughRecorded: [],
    recordedTooEarly: [],
    outOfOrder: [],
  });
});

it("finds what has no row", () => {
  expect(draw(rows([0, 1, 3])).lost).toEqual(["0/2"]);
});

it("takes a dead letter for a row", () => {
  const { lost } = accountOf(new Map([[0, 4]]), rows([0, 1, 3]), [], new Set(["0/2"]));
  expect(lost).toEqual([]);
});

it("counts rows beyond the first of their place", () => {
  expect(draw(rows([0, 1, 0, 1, 2, 3])).repeated).toBe(2);
});

it("finds rows of one owner and key that are out of order, and lets another owner repeat", () => {
  expect(draw(rows([0, 2, 1, 3])).outOfOrder).toEqual(["m1#1 0 k: 1"]);
  const later = rows([0, 1, 1, 2, 3]).map((row) => (row.seq > 2 ? { ...row, owner: "m1#2" } : row));
  expect(draw(later).outOfOrder).toEqual([]);
});

it("finds what was recorded as done before it had its row", () => {
  const records = [{ seq: 2, stretches: [[0, 0, 3] as const] }];
  expect(draw(rows([0, 1, 2, 3]), records).recordedTooEarly).toEqual(["0/2"]);
});

it("finds what was repeated though it was recorded as done", () => {
  const records = [{ seq: 2, stretches: [[0, 0, 1] as const] }];
  expect(draw(rows([0, 1, 0, 1, 2, 3]), records).repeatedThoughRecorded).toEqual(["0/0"]);
});
