import { type Animal, error, fails, succeeds, throwing, wrongResult } from "./animal.ts";

class OwnArray extends Array<unknown> {}

/** Whatever is asked of it but whether it is a promise, it throws. */
const trapped = <Target extends object>(target: Target): Target =>
  new Proxy(target, {
    get(_, property) {
      if (property === "then") return undefined;
      throw error;
    },
    getPrototypeOf: throwing(error),
  });

/** Handlers that return what they should not. */
export const returned: Animal[] = [
  { name: "returns the message itself", handle: (message) => message, ends: wrongResult },
  { name: "returns the message in an array", handle: (message) => [message], ends: wrongResult },
  { name: "returns a number", handle: () => 5, ends: wrongResult },
  { name: "returns zero", handle: () => 0, ends: wrongResult },
  { name: "returns false", handle: () => false, ends: wrongResult },
  { name: "returns null", handle: () => null, ends: wrongResult },
  { name: "returns a string", handle: () => "sink", ends: wrongResult },
  { name: "returns a symbol", handle: () => Symbol("sink"), ends: wrongResult },
  { name: "returns a function", handle: () => () => {}, ends: wrongResult },
  { name: "returns an object", handle: () => ({ batcher: "sink" }), ends: wrongResult },
  { name: "returns an empty array", handle: () => [], ends: succeeds },
  {
    name: "returns a nested array",
    handle: (message) => [[message.to("sink")]],
    ends: wrongResult,
  },
  { name: "returns an empty array in an array", handle: () => [[]], ends: wrongResult },
  {
    name: "returns an array with holes",
    handle(message) {
      const routes: unknown[] = [message.to("sink")];
      routes[2] = message.to("sink");
      return routes;
    },
    ends: wrongResult,
  },
  { name: "returns an array of nothing", handle: () => [undefined], ends: wrongResult },
  { name: "returns an array of its own kind", handle: () => OwnArray.of(5, 6), ends: wrongResult },
  {
    name: "returns a route among nonsense",
    handle: (message) => [message.to("sink"), 5],
    ends: wrongResult,
  },
  {
    name: "returns a set of routes",
    handle: (message) => new Set([message.to("sink")]),
    ends: wrongResult,
  },
  {
    name: "returns the same route twice",
    handle(message) {
      const route = message.to("sink");
      return [route, route];
    },
    ends: wrongResult,
  },
  {
    name: "returns another message's route",
    handle: (_, foreign) => foreign.to("sink"),
    ends: wrongResult,
  },
  {
    name: "returns a frozen route",
    handle: (message) => Object.freeze(message.to("sink")),
    ends: wrongResult,
  },
  {
    name: "returns a made-up route",
    handle: (message) =>
      Object.create(Object.getPrototypeOf(message.to("sink")) as object) as unknown,
    ends: wrongResult,
  },
  {
    name: "routes to an unknown batcher",
    handle: (message) => message.to("nowhere"),
    ends: { code: "WESTEND_ERR_UNKNOWN_BATCHER", attempts: 1 },
  },
  {
    name: "routes to a batcher called like something all objects have",
    handle: (message) => [message.to("sink"), message.to("constructor")],
    ends: { code: "WESTEND_ERR_UNKNOWN_BATCHER", attempts: 1 },
  },
  { name: "returns an array that throws when looked at", handle: () => trapped([]), ends: fails },
  { name: "returns an object that throws when looked at", handle: () => trapped({}), ends: fails },
  {
    name: "resolves to an array that throws when looked at",
    handle: () => Promise.resolve(trapped([1])),
    ends: fails,
  },
  {
    name: "empties the array of routes it has returned",
    handle(message) {
      const routes = [message.to("sink"), message.to("sink")];
      queueMicrotask(() => (routes.length = 0));
      return routes;
    },
    ends: succeeds,
  },
];

/** Handlers that say things to their message. */
export const said: Animal[] = [
  { name: "fails", handle: (message) => message.fail(error), ends: fails },
  {
    name: "fails without a reason",
    handle: (message) => message.fail(undefined),
    ends: { reason: undefined },
  },
  {
    name: "throws after fail",
    handle(message) {
      message.fail("said");
      throw error;
    },
    ends: fails,
  },
  {
    name: "throws after drop",
    handle(message) {
      message.drop("said");
      throw error;
    },
    ends: fails,
  },
  {
    name: "calls fail, then drop",
    handle(message) {
      message.fail("said");
      message.drop("said");
    },
    ends: { outcome: "dropped" },
  },
  {
    name: "calls drop, then fail",
    handle(message) {
      message.drop("said");
      message.fail(error);
    },
    ends: fails,
  },
  {
    name: "fails and routes",
    handle(message) {
      message.fail(error);
      return message.to("sink");
    },
    ends: fails,
  },
  {
    name: "drops and routes",
    handle(message) {
      message.drop("said");
      return message.to("sink");
    },
    ends: { outcome: "dropped" },
  },
  {
    name: "fails after it has ended",
    handle: (message) => void setImmediate(() => message.fail("late")),
    ends: succeeds,
  },
  {
    name: "freezes its message",
    handle: (message) => void Object.freeze(message),
    ends: succeeds,
  },
  {
    name: "freezes its message, then fails",
    handle(message) {
      Object.freeze(message);
      try {
        message.fail("said");
      } catch {
        throw error;
      }
    },
    ends: fails,
  },
  {
    name: "changes the options of a route it has made",
    handle(message) {
      const options: { key: unknown } = { key: "key" };
      const route = message.to("sink", "data", options as never);
      options.key = throwing(error);
      return route;
    },
    ends: succeeds,
  },
  {
    name: "fails another message that has ended",
    handle: (_, foreign) => foreign.fail("not yours"),
    ends: succeeds,
  },
];
