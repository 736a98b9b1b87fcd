/** Where one branch of a routed delivery stands. From `settled` on it is over. */
export const routed = 0;
export const batched = 1;
export const running = 2;
export const waiting = 3;
export const failing = 4;
export const settled = 5;
