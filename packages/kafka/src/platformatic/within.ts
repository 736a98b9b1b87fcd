/** Rejects when a promise takes longer than so many milliseconds; what it comes to later is ignored. */
export async function within<Value>(
  promise: PromiseLike<Value> | Value,
  milliseconds: number,
): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const error = new Error(`No answer within ${milliseconds} ms.`);
  const timer = setTimeout(() => reject(error), milliseconds);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
