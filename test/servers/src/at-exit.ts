const endings = new Set<() => void>();

/**
 * Has `end` called when this process exits, the newest first: a server is killed before its folder goes.
 * Gives what takes that back. The process has one listener, however many servers there are.
 */
export function atExit(end: () => void): () => void {
  if (endings.size === 0) process.on("exit", endAll);
  endings.add(end);
  return () => {
    endings.delete(end);
    if (endings.size === 0) process.off("exit", endAll);
  };
}

function endAll(): void {
  for (const end of [...endings].reverse()) end();
}
