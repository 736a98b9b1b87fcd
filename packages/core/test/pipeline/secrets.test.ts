import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { inspect } from "node:util";
import { constant, json, retry } from "westend";
import { describe, expect, it } from "vitest";
import { never } from "../support/deferred.ts";
import { startScene } from "../support/scene.ts";
import { stopWithin } from "../support/stopping.ts";
import { recordTelemetry } from "../support/telemetry-recorder.ts";

const pipeline = "scene";

describe("secrets", () => {
  const SECRET = "s3cr3t";

  it("of payloads, keys and metadata are in nothing that is published or inspected", async () => {
    const telemetry = recordTelemetry(pipeline);
    const seen: unknown[] = [];
    const contexts: unknown[] = [];
    const note = (context: unknown): void => void contexts.push(context);
    const spans = ["tracing:westend:handle:end", "tracing:westend:batch:end"];
    for (const name of spans) subscribe(name, note);
    const incoming = (payload: unknown) => ({ payload, key: SECRET, metadata: { SECRET } });
    const valid = (n: number) => incoming(JSON.stringify({ n, SECRET }));
    let given: unknown[] = [
      ...[0, 1, 2, 3, 4, 5, 6].map(valid),
      incoming(`{"${SECRET}": ${SECRET}}`),
      incoming(SECRET),
      SECRET,
    ];
    const producer = {
      name: "secret",
      open: () => ({
        pull() {
          const pulled = given;
          given = [];
          return pulled as any;
        },
        acknowledge: ({ succeeded }: any) => ({ refused: succeeded }),
        release: () => Promise.reject(new Error("no")),
      }),
    };
    const { clock, running } = await startScene({
      producer,
      decoder: json() as any,
      processor: {
        retry: retry({ attempts: 2, backoff: constant(10) }),
        timeout: 50,
        handle(message: any): any {
          seen.push(message);
          const route = message.to("sink", message.data, { key: SECRET });
          seen.push(route);
          switch (message.data.n) {
            case 0:
              return message;
            case 1:
              return { [SECRET]: SECRET };
            case 2:
              return message.to("nowhere");
            case 3:
              return never;
            case 4:
              return [route, route];
            default:
              return route;
          }
        },
      },
      batchers: {
        sink: { size: 10, timeout: 20, partitionBy: () => ({ SECRET }) as any, handle() {} },
      },
      onFailed: (messages) => void seen.push(messages),
    });
    await clock.advance(10_000);
    await stopWithin(clock, running, 100);
    telemetry[Symbol.dispose]();
    for (const name of spans) unsubscribe(name, note);
    expect(telemetry.of("westend:message:failed").length).toBeGreaterThan(6);
    expect(contexts.length).toBeGreaterThan(0);
    const shown = inspect([telemetry.all, contexts, seen, running, running.stats()], {
      depth: 20,
      maxArrayLength: null,
      maxStringLength: null,
    });
    expect(shown).not.toContain(SECRET);
  });
});
