// A module rather than an object: the bundler writes each number where its name is used.
/** Where a delivery stands. From `dropped` on it is settled for good; of the outcomes, up to `failed`, each is worse than the one before. */
export const received = 0;
export const running = 1;
export const waiting = 2;
export const routed = 3;
export const failing = 4;
export const dropped = 5;
export const succeeded = 6;
export const deadLettered = 7;
export const failed = 8;
export const released = 9;
export const abandoned = 10;
