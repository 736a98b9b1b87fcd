import { type NewMessage, queueTerms } from "westend/connector";
import { arrayText } from "./encode.ts";
import type { Run } from "./database.ts";
import { encodePayload, type StoredPayload } from "./payload.ts";
import { DELAYED, READY } from "./schema.ts";
import type { Store } from "./store.ts";

/** A checked {@link NewMessage}, as it is going to be stored. */
export interface Draft extends StoredPayload {
  readonly key: string | null;
  readonly delay: number;
}

/** @throws TypeError or RangeError that says what is wrong, without the content. */
export function draftOf(message: NewMessage): Draft {
  const terms = queueTerms(message);
  return { ...encodePayload(message.payload), ...terms };
}

/** Stores messages in this order, and tells those who listen. Returns their numbers. */
export async function enqueue(
  run: Run,
  store: Store,
  queue: string,
  drafts: readonly Draft[],
): Promise<string[]> {
  const { rows } = await run({
    text: `with stored as (
        insert into ${store.table("message")} (queue, state, due, key, coding, payload)
        select $1, case when delay > 0 then ${DELAYED} else ${READY} end,
          clock_timestamp() + delay * interval '1 millisecond', key, coding, payload
        from unnest($2::bytea[], $3::smallint[], $4::text[], $5::double precision[])
          with ordinality as r(payload, coding, key, delay, place)
        order by place returning id)
      select array_agg(id::text order by id) as ids, pg_notify($6, $1) from stored`,
    values: [
      queue,
      arrayText(drafts.map(({ bytes }) => `\\x${Buffer.from(bytes).toString("hex")}`)),
      arrayText(
        drafts.map(({ coding }) => String(coding)),
        true,
      ),
      arrayText(drafts.map(({ key }) => key)),
      arrayText(
        drafts.map(({ delay }) => String(delay)),
        true,
      ),
      store.channel,
    ],
  });
  const [{ ids }] = rows as [{ ids: string[] }];
  return ids;
}
