import { boundedJson, describeError, identityOf } from "westend/connector";
import type { Run } from "./database.ts";
import { arrayText } from "./encode.ts";
import type { Claim, LeasedMessage } from "./leased-message.ts";
import { HELD, READY } from "./schema.ts";
import type { Store } from "./store.ts";

/** Ends or changes leases; every method resolves with the claims that are no longer good. The token alone decides. */
export class Settlement {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The messages are done with. */
  remove<Each extends Claim>(run: Run, claims: readonly Each[]): Promise<Each[]> {
    return this.#apply(run, claims, `delete from ${this.#table} m using claim ${MINE}`, []);
  }

  /** Gives messages back; they are ready at once. `refund` takes back the attempt that was counted when they were leased. */
  release<Each extends Claim>(run: Run, claims: readonly Each[], refund: boolean): Promise<Each[]> {
    const set = `set state = ${READY}, owner = null, token = null, attempts = greatest(0, attempts - $3)`;
    return this.#update(run, claims, set, [refund ? 1 : 0]);
  }

  /** Makes messages wait for so many milliseconds, and what is behind them in their key. */
  retry<Each extends Claim>(run: Run, claims: readonly Each[], delay: number): Promise<Each[]> {
    const set = `set state = ${HELD}, owner = null, token = null, due = clock_timestamp() + $3 * interval '1 millisecond'`;
    return this.#update(run, claims, set, [delay]);
  }

  extend<Each extends Claim>(run: Run, claims: readonly Each[], duration: number): Promise<Each[]> {
    const set = `set state = ${HELD}, due = clock_timestamp() + $3 * interval '1 millisecond'`;
    return this.#update(run, claims, set, [duration]);
  }

  /** Moves a message to the dead letters. */
  bury(
    run: Run,
    message: LeasedMessage,
    from: { readonly pipeline: string; readonly source: string },
    reason: unknown,
  ): Promise<LeasedMessage[]> {
    const { name, code, message: text, stack } = describeError(reason);
    const { metadata, leasedAt } = message;
    return this.#apply(
      run,
      [message],
      `delete from ${this.#table} m using claim ${MINE}`,
      [
        identityOf(metadata),
        boundedJson(metadata),
        from.pipeline,
        from.source,
        name,
        code,
        text,
        stack,
        leasedAt,
      ],
      `, buried as (insert into ${this.#store.table("dead_letter")} (queue, key, coding, payload, attempts,
          identity, metadata, pipeline, source, error_name, error_code, error_message, error_stack, received_at, failed_at)
        select queue, key, coding, payload, attempts, $3, $4, $5, $6, $7, $8, $9, $10, to_timestamp($11::float8 / 1000),
          clock_timestamp() from done on conflict (identity) do nothing)`,
    );
  }

  get #table(): string {
    return this.#store.table("message");
  }

  #update<Each extends Claim>(
    run: Run,
    claims: readonly Each[],
    set: string,
    values: readonly unknown[],
  ): Promise<Each[]> {
    return this.#apply(run, claims, `update ${this.#table} m ${set} from claim ${MINE}`, values);
  }

  async #apply<Each extends Claim>(
    run: Run,
    claims: readonly Each[],
    change: string,
    values: readonly unknown[],
    then = "",
  ): Promise<Each[]> {
    if (claims.length === 0) return [];
    const { rows } = await run({
      text: `with claim as (select * from unnest($1::bigint[], $2::uuid[]) as c(id, token)),
        done as (${change} returning m.*)${then} select id::text from done`,
      values: [
        arrayText(
          claims.map(({ sequence }) => sequence),
          true,
        ),
        arrayText(
          claims.map(({ token }) => token),
          true,
        ),
        ...values,
      ],
    });
    if (rows.length === claims.length) return [];
    const good = new Set((rows as { id: string }[]).map(({ id }) => id));
    return claims.filter(({ sequence }) => !good.has(sequence));
  }
}

const MINE = "where m.id = claim.id and m.token = claim.token";
