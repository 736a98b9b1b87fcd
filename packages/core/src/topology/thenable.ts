/** Whether something is to be awaited. Throws what a `then` getter throws: that is the caller's failure. */
export function isThenable<Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as PromiseLike<Value>).then === "function"
  );
}
