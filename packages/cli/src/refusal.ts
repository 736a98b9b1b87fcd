/** What the user has to put right before anything can start. Its message is printed as it is; the exit code is 2. */
export class Refusal extends Error {}

/**
 * The file's own code threw while it was loaded. It may be wrong, or a server it asked was down: nobody can tell, so that the exit
 * code is 1, as where a pipeline cannot start, and whoever restarts what ended with 1 tries again. What it threw is its cause.
 */
export class LoadFailure extends Error {}
