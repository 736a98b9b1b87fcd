import type { NewMessage, QueuePayload } from "westend/connector";
import { arrayText } from "./encode.ts";
import type { Run } from "./database.ts";
import { encodePayload, type StoredPayload } from "./payload.ts";
import { DELAYED, READY } from "./schema.ts";
import type { Store } from "./store.ts";

const LONGEST_KEY = 1024;

/** A checked {@link NewMessage}, as it is going to be stored. */
export interface Draft extends StoredPayload {
  readonly key: string | null;
  readonly delay: number;
}

/** @throws TypeError or RangeError that says what is wrong, without the content. */
export function draftOf(
  payload: QueuePayload,
  key: NewMessage["key"],
  delay: number | undefined = 0,
): Draft {
  if (typeof payload !== "string" && !(payload instanceof Uint8Array)) {
    throw new TypeError(
      `A payload is text or bytes, got ${payload === null ? "null" : typeof payload}`,
    );
  }
  if (typeof delay !== "number" || !(delay >= 0) || delay > Number.MAX_SAFE_INTEGER / 2) {
    throw new RangeError("A delay is a number of milliseconds from 0");
  }
  return { ...encodePayload(payload), key: key === undefined ? null : keyOf(key), delay };
}

function keyOf(key: unknown): string {
  if (typeof key !== "string" && typeof key !== "number" && typeof key !== "bigint") {
    throw new TypeError(
      `A key is text, a number or a bigint, got ${key === null ? "null" : typeof key}`,
    );
  }
  const text = String(key);
  if (!isStorableKey(text)) {
    throw new RangeError(
      `A key has at most ${LONGEST_KEY} characters, no NUL and no half of a surrogate pair`,
    );
  }
  return text;
}

/** Whether text comes back from Postgres as it was given, so that equal keys stay equal. */
export function isStorableKey(text: string): boolean {
  return text.length <= LONGEST_KEY && !text.includes("\0") && text.isWellFormed();
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
