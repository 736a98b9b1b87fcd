import { spawnSync } from "node:child_process";

import { median } from "../src/statistics.ts";
import type { Workload } from "../src/workload.ts";

/** In a process of its own: nothing is loaded, nothing compiled. */
const program = `
  const begun = performance.now();
  const { definePipeline, fromIterable } = await import("westend");
  const imported = performance.now();
  let first;
  const pipeline = definePipeline({
    name: "first",
    producer: fromIterable([1]),
    processor: { handle: () => { first = performance.now(); } },
  });
  const started = performance.now();
  const running = await pipeline.start();
  await running.done;
  console.log(JSON.stringify({ import: imported - begun, first: first - started, total: first - begun }));
`;

interface Times {
  readonly import: number;
  readonly first: number;
  readonly total: number;
}

function once(): Times {
  const args = ["--input-type=module", "--eval", program];
  const options = { cwd: import.meta.dirname, encoding: "utf8" } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, options);
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Times;
}

export const start: Workload = {
  name: "start",
  async run({ quick }) {
    once();
    const times = Array.from({ length: quick ? 5 : 15 }, once);
    const figure = (of: keyof Times) =>
      ({ value: median(times.map((time) => time[of])), unit: "ms" }) as const;
    return {
      rows: [
        { workload: "import", westend: figure("import"), bar: { is: "at most", must: 20, aim: 5 } },
        {
          workload: "start to first message",
          westend: figure("first"),
          bar: { is: "at most", must: 50, aim: 20 },
        },
      ],
      raw: times,
    };
  },
};
