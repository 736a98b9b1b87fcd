import { randomBytes } from "node:crypto";
import { describe, inject, it } from "vitest";
import { KafkaAdmin } from "../kafka/admin.ts";
import { missing, type Service, servicesAreRequired } from "../services.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the broker is that `kafka-setup.ts` has started. */
    kafka: { readonly brokers: string[]; readonly internal: string[] };
    /** Where the server is that `postgres-setup.ts` has started. */
    postgres: { readonly url: string };
  }
}

/**
 * A suite that needs servers. Where one is missing it is skipped and its title says why; with
 * `WESTEND_REQUIRE_SERVICES=1` it fails.
 */
export function describeWith(
  services: Service | readonly Service[],
  title: string,
  body: () => void,
): void {
  const needed = [services].flat();
  const reasons = needed.map(missing).filter((reason) => reason !== undefined);
  if (reasons.length === 0) {
    describe(title, body);
    return;
  }
  const why = `needs ${needed.join(" and ")}: ${reasons.join("; ")}`;
  if (servicesAreRequired()) {
    it(title, () => {
      throw new Error(`WESTEND_REQUIRE_SERVICES=1, and this ${why}`);
    });
    return;
  }
  // Its body would be run, to see what there is to skip; it may ask for a server at once.
  describe.skip(`${title} [${why}]`, () => {
    it("is skipped", () => {});
  });
}

export interface SharedKafka {
  readonly brokers: string[];
  readonly admin: KafkaAdmin;
}

/** The broker of the project's `globalSetup` (`kafka-setup.ts`). Others use it too: take topics and groups by `uniqueName`. */
export function sharedKafka(): SharedKafka {
  const { brokers, internal } = inject("kafka");
  return { brokers, admin: new KafkaAdmin(internal) };
}

/** The URL of the server of the project's `globalSetup` (`postgres-setup.ts`). Others use it too: take a schema by `uniqueName`. */
export function sharedPostgres(): string {
  return inject("postgres").url;
}

/** A name that no other test has. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(6).toString("hex")}`;
}
