import { KafkaError } from "../errors.ts";

interface Searchable {
  findBy(property: string, value: unknown): unknown;
}

/** Whether an error of the client, or one of those it is made of, has a property of this value. */
export function finds(error: unknown, property: string, value: unknown): boolean {
  if (typeof error !== "object" || error === null || !("findBy" in error)) return false;
  return Boolean((error as Searchable).findBy(property, value));
}

/** What to do about a topic that cannot be had. */
export function explain(cause: unknown, topic: string): KafkaError {
  const error = (...[code, message]: [KafkaError["code"], string]): KafkaError =>
    new KafkaError(code, message, { cause });
  if (cause instanceof KafkaError) return cause;
  if (cause instanceof Error && cause.message === `Unknown topic ${topic}.`) {
    return error(
      "KAFKA_TOPIC_MISSING",
      `There is no topic "${topic}", or this user may not know of it. Create it, or correct its name.`,
    );
  }
  if (finds(cause, "apiId", "TOPIC_AUTHORIZATION_FAILED")) {
    return error(
      "KAFKA_AUTHORIZATION",
      `This user may not describe topic "${topic}". Allow DESCRIBE and WRITE on it.`,
    );
  }
  if (finds(cause, "code", "PLT_KFK_AUTHENTICATION")) {
    return error(
      "KAFKA_AUTHENTICATION",
      "The brokers do not accept the credentials. See `sasl`: mechanism, username and password.",
    );
  }
  return error(
    "KAFKA_UNREACHABLE",
    `No broker could be asked for topic "${topic}". See \`brokers\` and \`tls\`, and whether they are up.`,
  );
}
