import { returned, said } from "./zoo/answering.ts";
import type { Animal } from "./zoo/animal.ts";
import { promised, thrown } from "./zoo/settling.ts";

export type { Animal, Ending } from "./zoo/animal.ts";

/** What handlers have been seen to do, and what comes of it. */
export const zoo: readonly Animal[] = [...thrown, ...promised, ...returned, ...said];
