/** Listens to errors nobody caught, until the function it gives is called. A file that deals with them itself is left to do so. */
export function onUncaught(listener: (error: unknown) => void): () => void {
  if (process.listenerCount("uncaughtException") > 0) return () => {};
  process.on("uncaughtException", listener);
  return () => process.off("uncaughtException", listener);
}
