/** What the command tells its caller. A second signal adds 128 and the signal's number instead. */
export const ExitCode = {
  /** Every pipeline ended or was drained. */
  done: 0,
  /** A pipeline died or could not start, the file's own code threw, or a drain had to abandon messages: trying again may help. */
  died: 1,
  /** The arguments, the file or its options are wrong; nothing was started, and trying again does not help. */
  refused: 2,
} as const;

/** Ends the process once all output is out, whatever user code keeps open: connections, timers, handlers beyond their deadline. */
export async function exitFlushed(code: number): Promise<never> {
  await Promise.all([process.stdout, process.stderr].map(flushed));
  process.exit(code);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) resolve();
    else stream.write("", () => resolve());
  });
}
