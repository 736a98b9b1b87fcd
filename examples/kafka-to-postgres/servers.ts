import { missing, startKafka, startPostgres } from "test-servers";

/** Where the demo's Kafka and PostgreSQL are. */
export interface Servers extends AsyncDisposable {
  readonly brokers: string[];
  readonly database: string;
}

/** Those that `KAFKA_BROKERS` and `DATABASE_URL` name; what is not named is started, and stopped at the end. */
export async function servers(): Promise<Servers> {
  const { KAFKA_BROKERS: brokers, DATABASE_URL: database } = process.env;
  await using started = new AsyncDisposableStack();
  if (brokers === undefined) console.log("Starting Kafka …");
  const kafka = brokers === undefined ? started.use(await startKafka()) : undefined;
  if (database === undefined) console.log("Starting PostgreSQL …");
  const postgres = database === undefined ? started.use(await startPostgres()) : undefined;
  const all = started.move();
  return {
    brokers: kafka?.brokers ?? brokers?.split(",") ?? [],
    database: postgres?.url ?? database ?? "",
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Why the demo cannot start what is not named, and what to do; undefined if it can. */
export function obstacle(): string | undefined {
  const { KAFKA_BROKERS: brokers, DATABASE_URL: database } = process.env;
  const reasons = [
    brokers === undefined ? missing("kafka") : undefined,
    database === undefined ? missing("postgres") : undefined,
  ].filter((reason) => reason !== undefined);
  if (reasons.length === 0) return undefined;
  return [
    `This starts Kafka and PostgreSQL by itself, but cannot here: ${reasons.join("; ")}.`,
    "Install Java 17, Maven and PostgreSQL, or use Docker:",
    "  docker compose up --wait",
    "  export KAFKA_BROKERS=127.0.0.1:9092 DATABASE_URL=postgresql://westend:westend@127.0.0.1:5432/westend",
    "  npm run demo:kafka",
  ].join("\n");
}
