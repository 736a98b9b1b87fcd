import type { DeadLetterFilter } from "westend/connector";
/** What of a filter is given, as SQL with its parameters, which are numbered from `first`. */
export function conditions(
  filter: DeadLetterFilter,
  first: number,
): { readonly sql: string; readonly values: unknown[] } {
  const { ids, name, code, reason, pipeline, key, since, before } = filter;
  const all: readonly [condition: (parameter: string) => string, value: unknown][] = [
    [(at) => `id = any (${at}::bigint[])`, ids],
    [(at) => `error_name = ${at}`, name],
    [(at) => `error_code = ${at}`, code],
    [(at) => `strpos(error_message, ${at}) > 0`, reason],
    [(at) => `pipeline = ${at}`, pipeline],
    [(at) => `key = ${at}`, key],
    [(at) => `failed_at >= to_timestamp(${at}::float8 / 1000)`, since],
    [(at) => `failed_at < to_timestamp(${at}::float8 / 1000)`, before],
  ];
  const given = all.filter(([, value]) => value !== undefined);
  return {
    sql: given.map(([condition], index) => ` and ${condition(`$${first + index}`)}`).join(""),
    values: given.map(([, value]) => value),
  };
}
