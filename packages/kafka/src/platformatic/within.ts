/** Nothing was heard for as long as anybody may take. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";

  constructor(milliseconds: number) {
    super(`No answer within ${milliseconds} ms.`);
  }
}

/** Rejects with a `NoAnswerError` when a promise takes longer than so many milliseconds; what it comes to later is ignored. */
export async function within<Value>(
  promise: PromiseLike<Value> | Value,
  milliseconds: number,
): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const error = new NoAnswerError(milliseconds);
  const timer = setTimeout(() => reject(error), milliseconds);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
