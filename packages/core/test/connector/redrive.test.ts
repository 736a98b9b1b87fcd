import { describe, expect, it } from "vitest";
import {
  type EditedLetter,
  type ListOptions,
  redrive,
  type StoredDeadLetter,
} from "westend/connector";

/** A store of so many letters, as a database would behave. */
function storeOf(count: number) {
  const letters = new Map<number, StoredDeadLetter>();
  const bury = (id: number): void => {
    letters.set(id, { id, key: undefined, payload: `${id}`, intact: true } as StoredDeadLetter);
  };
  for (let id = 1; id <= count; id++) bury(id);
  const groups: number[] = [];
  const moved: EditedLetter[] = [];
  return {
    letters,
    bury,
    groups,
    moved,
    list: async ({ after = 0, limit = 100 }: ListOptions) =>
      [...letters.values()].filter(({ id }) => id > after).slice(0, limit),
    newest: async () => Math.max(0, ...letters.keys()),
    async move(edited: readonly EditedLetter[]) {
      groups.push(edited.length);
      const ours = edited.filter(({ id }) => letters.delete(id));
      moved.push(...ours);
      return ours.length;
    },
  };
}

describe("redrive", () => {
  it("moves all letters, a hundred at a time", async () => {
    const store = storeOf(230);
    expect(await redrive({}, {}, store)).toEqual({ redriven: 230, skipped: 0 });
    expect(store.groups).toEqual([100, 100, 30]);
    expect(store.moved.map(({ id }) => id)).toEqual(Array.from({ length: 230 }, (_, at) => at + 1));
  });

  it("moves no more than the limit", async () => {
    const store = storeOf(230);
    expect(await redrive({}, { limit: 101 }, store)).toEqual({ redriven: 101, skipped: 0 });
    expect(store.letters.size).toBe(129);
  });

  it("leaves alone what comes meanwhile", async () => {
    const store = storeOf(2);
    const edit = ({ id, payload }: StoredDeadLetter) => {
      store.bury(id + 10);
      return payload;
    };
    expect(await redrive({}, { edit }, store)).toEqual({ redriven: 2, skipped: 0 });
    expect([...store.letters.keys()]).toEqual([11, 12]);
  });

  it("leaves where they are letters that edit does not want, and counts them", async () => {
    const store = storeOf(3);
    const edit = async ({ id }: StoredDeadLetter) => (id === 2 ? undefined : `mended ${id}`);
    expect(await redrive({}, { edit }, store)).toEqual({ redriven: 2, skipped: 1 });
    expect(store.moved.map(({ payload }) => payload)).toEqual(["mended 1", "mended 3"]);
  });

  it("leaves where they are letters that are not intact unless they are mended", async () => {
    const store = storeOf(1);
    store.letters.set(1, { ...(store.letters.get(1) as StoredDeadLetter), intact: false });
    expect(await redrive({}, {}, store)).toEqual({ redriven: 0, skipped: 1 });
    expect(await redrive({}, { edit: () => "mended" }, store)).toEqual({ redriven: 1, skipped: 0 });
  });

  it("counts and moves nothing in a dry run", async () => {
    const store = storeOf(150);
    expect(await redrive({}, { dryRun: true }, store)).toEqual({ redriven: 150, skipped: 0 });
    expect(store.letters.size).toBe(150);
  });

  it("does not count what somebody else has moved", async () => {
    const store = storeOf(2);
    const edit = ({ id, payload }: StoredDeadLetter) => {
      if (id === 1) store.letters.delete(2);
      return payload;
    };
    expect(await redrive({}, { edit }, store)).toEqual({ redriven: 1, skipped: 0 });
  });
});
