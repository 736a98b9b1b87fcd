import { payloadText, type QueuePayload } from "westend/connector";

/**
 * Says how to read stored bytes: 0 as they are; 1 text; 2 text that UTF-8 cannot hold, in UTF-16;
 * 3 JSON of something that was neither text nor bytes; 4 a description of what JSON cannot hold.
 */
export type Coding = 0 | 1 | 2 | 3 | 4;

export interface StoredPayload {
  readonly bytes: Uint8Array;
  readonly coding: Coding;
}

export function encodePayload(payload: QueuePayload): StoredPayload {
  // A copy, because it is stored later and its owner may not wait for that.
  if (typeof payload !== "string") return { bytes: Buffer.from(payload), coding: 0 };
  return payload.isWellFormed()
    ? stored(payload, 1)
    : { bytes: Buffer.from(payload, "utf16le"), coding: 2 };
}

/** Stores anything, for somebody to look at: a dead letter of any source. */
export function encodeAnything(payload: unknown): StoredPayload {
  if (typeof payload === "string" || payload instanceof Uint8Array) return encodePayload(payload);
  const { text, whole } = payloadText(payload);
  return stored(text, whole ? 3 : 4);
}

export function decodePayload(bytes: Uint8Array, coding: Coding): QueuePayload {
  if (coding === 0) return bytes;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString(coding === 2 ? "utf16le" : "utf8");
}

function stored(text: string, coding: Coding): StoredPayload {
  return { bytes: Buffer.from(text), coding };
}
