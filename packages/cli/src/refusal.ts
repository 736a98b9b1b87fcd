/** What the user has to put right before anything can start. Its message is printed as it is; the exit code is 2. */
export class Refusal extends Error {}
