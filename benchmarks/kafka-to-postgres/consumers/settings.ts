/** What every consumer is told, as it would be in production: by its environment. */
export const brokers: string[] = required("KAFKA_BROKERS").split(",");
export const topic: string = required("KAFKA_TOPIC");
export const groupId: string = required("KAFKA_GROUP");
export const database: string = required("DATABASE_URL");

/** Milliseconds; the same for all, so that nobody waits longer than others for the partitions of a member that was killed. */
export const sessionTimeout = 10_000;

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`${name} is not set`);
  return value;
}
