// oxlint-disable unicorn/no-thenable -- what pretends to be a promise is what this is about
import { type Animal, error, fails, succeeds, throwing, timesOut, wrongResult } from "./animal.ts";

const frozen = Object.freeze({ frozen: true });
const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

type Resolve = (value?: unknown) => void;
type Reject = (reason?: unknown) => void;
const thenable = (then: (resolve: Resolve, reject: Reject) => void): unknown => ({ then });

class OwnPromise<Value> extends Promise<Value> {}
/** Handlers that throw. */
export const thrown: Animal[] = [
  { name: "throws an error", handle: throwing(error), ends: fails },
  { name: "throws undefined", handle: throwing(undefined), ends: { reason: undefined } },
  { name: "throws null", handle: throwing(null), ends: { reason: null } },
  { name: "throws a string", handle: throwing("text"), ends: { reason: "text" } },
  { name: "throws NaN", handle: throwing(NaN), ends: { reason: NaN } },
  { name: "throws a frozen object", handle: throwing(frozen), ends: { reason: frozen } },
  { name: "throws a cycle", handle: throwing(cyclic), ends: { reason: cyclic } },
  { name: "throws a function", handle: throwing(throwing), ends: { reason: throwing } },
  {
    name: "overflows the stack",
    handle: () => {
      const recurse = (): number => recurse() + 1;
      try {
        return recurse();
      } catch (overflow) {
        throw overflow instanceof RangeError ? error : overflow;
      }
    },
    ends: fails,
  },
  { name: "rejects", handle: () => Promise.reject(error), ends: fails },
  { name: "rejects with nothing", handle: () => Promise.reject(), ends: { reason: undefined } },
  {
    name: "rejects late",
    handle: async () => Promise.reject(await Promise.resolve(error)),
    ends: fails,
  },
];

/** Handlers that give a promise, or what pretends to be one. */
export const promised: Animal[] = [
  { name: "never settles", handle: () => new Promise(() => {}), ends: timesOut },
  {
    name: "gives a thenable that never calls back",
    handle: () => thenable(() => {}),
    ends: timesOut,
  },
  {
    name: "gives a thenable that resolves twice",
    handle: () =>
      thenable((resolve) => {
        resolve();
        resolve(5);
      }),
    ends: succeeds,
  },
  {
    name: "gives a thenable that says it is a promise and calls back again later",
    handle: () => ({
      constructor: Promise,
      then(resolve: Resolve) {
        setImmediate(resolve);
        setImmediate(() => setImmediate(resolve));
      },
    }),
    ends: succeeds,
  },
  {
    name: "gives a promise with a then of its own that calls back twice",
    handle: () =>
      Object.assign(Promise.resolve(), {
        then(resolve: Resolve) {
          resolve();
          resolve(5);
        },
      }),
    ends: succeeds,
  },
  {
    name: "gives a thenable that resolves, then rejects",
    handle: () =>
      thenable((resolve, reject) => {
        resolve();
        reject(error);
      }),
    ends: succeeds,
  },
  {
    name: "gives a thenable that rejects, then resolves",
    handle: () =>
      thenable((resolve, reject) => {
        reject(error);
        resolve();
      }),
    ends: fails,
  },
  {
    name: "gives a thenable that throws in then",
    handle: () => thenable(throwing(error)),
    ends: fails,
  },
  {
    name: "gives a thenable that throws after resolving",
    handle: () =>
      thenable((resolve) => {
        resolve();
        throw error;
      }),
    ends: succeeds,
  },
  {
    name: "gives an object whose then is a getter that throws",
    handle: () => Object.defineProperty({}, "then", { get: throwing(error) }),
    ends: fails,
  },
  {
    name: "gives a promise whose constructor is a getter that throws",
    handle: () => Object.defineProperty(Promise.resolve(), "constructor", { get: throwing(error) }),
    ends: fails,
  },
  { name: "gives a promise of a subclass", handle: () => OwnPromise.resolve(), ends: succeeds },
  {
    name: "gives a rejected promise of a subclass",
    handle: () => OwnPromise.reject(error),
    ends: fails,
  },
  {
    name: "gives a thenable that resolves to a thenable",
    handle: () => thenable((resolve) => resolve(thenable((inner) => inner()))),
    ends: succeeds,
  },
  { name: "resolves to nonsense", handle: async () => 5, ends: wrongResult },
];
