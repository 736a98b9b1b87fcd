import type { Flaw } from "./flaws.ts";

/** What each flaw must be caught by, at least, and in which words. */
export const caught: readonly (readonly [Flaw, string, string])[] = [
  ["gives twice", "hands over what was sent, each message once", 'too many: "message 6"'],
  [
    "gives more than is asked for",
    "never gives more than it is asked for",
    "pull() gave 4 messages for a demand of 3",
  ],
  [
    "reverses",
    "hands messages over in the order in which they were sent",
    '"message 39" came where "message 0" was due',
  ],
  [
    "ignores bytes",
    "keeps to the bytes it is asked for, but gives one message at least",
    "several messages came for a demand of one byte",
  ],
  [
    "gives nothing rather than too many bytes",
    "keeps to the bytes it is asked for, but gives one message at least",
    "nothing came for a demand of 1 bytes",
  ],
  ["loses keys", "gives messages the key they were sent with", "the key of message 0"],
  [
    "ends when it is empty",
    "gives nothing, and does not end, while there is nothing",
    "pull() gave null",
  ],
  [
    "misses what is sent",
    "gives what is sent while a pull waits, or wakes the pipeline",
    "message 1 of 3: waited for in vain",
  ],
  [
    "ignores the abort",
    "settles a pull soon after it was aborted",
    "did not settle within 1000 ms",
  ],
  [
    "drops what comes while aborting",
    "loses nothing that is sent while a pull is aborted",
    'missing: "message 0", "message 1", "message 2"',
  ],
  [
    "keeps listeners",
    "leaves nothing behind on the signal of its pulls",
    "30 listeners were added by 30 pulls",
  ],
  [
    "never ends",
    "ends for good once everything has been handed over and settled",
    "the end, after 25 messages: waited for in vain",
  ],
  [
    "ends again and again",
    "ends for good once everything has been handed over and settled",
    "a pull: waited for in vain",
  ],
  [
    "never ends",
    "ends at once if nothing was ever sent",
    "the end, after 0 messages: waited for in vain",
  ],
  [
    "misses the end",
    "ends while a pull waits, or wakes the pipeline to see that it has ended",
    "the end, after 3 messages: waited for in vain",
  ],
  [
    "ends while messages are out",
    "does not end before what may come again has been settled",
    "pull() gave null",
  ],
  [
    "acknowledges the first of a group",
    "takes acknowledgements in any order and any grouping",
    "the source should have nothing left",
  ],
  [
    "knows no drops",
    "takes what was dropped or dead-lettered for done",
    "it has 0 waiting and 2 taken",
  ],
  [
    "takes one acknowledgement at a time",
    "takes several acknowledgements at once",
    "An acknowledgement is under way.",
  ],
  [
    "takes failed for done",
    "tells messages that failed from those that are done",
    'missing: "message 1", "message 3", "message 5"',
  ],
  [
    "refuses in silence",
    "says which acknowledgements it refused, and takes the others",
    'what was refused: missing: "message 1"',
  ],
  ["refuses for ever", "takes at another try what it refused", "it was refused again"],
  [
    "acknowledges nothing once drained",
    "takes acknowledgements after it was drained",
    "it has 0 waiting and 4 taken",
  ],
  [
    "acknowledges the oldest",
    "hands over again what was never acknowledged",
    'missing: "message 0", "message 1"; too many: "message 2", "message 3"',
  ],
  [
    "forgets what a closed session held",
    "hands over again what was never acknowledged",
    'what came again: missing: "message 0"',
  ],
  [
    "counts no attempts",
    "counts how often it has handed a message over",
    "attempt is 1 at delivery 2",
  ],
  [
    "loses what is released",
    "hands over again at once what was released",
    "message 1 of 4: waited for in vain",
  ],
  [
    "counts releases as attempts",
    "hands over again at once what was released",
    "a release counted as an attempt",
  ],
  [
    "gives to every session",
    "never gives one message to two sessions",
    "what both were given: missing",
  ],
  [
    "gives back to the same session only",
    "gives to others what a session that was closed has left",
    "message 1 of 5: waited for in vain",
  ],
  [
    "does not extend",
    "keeps what is extended beyond its lease",
    'the other was given: too many: "message 0"',
  ],
  [
    "loses what a failed pull took",
    "loses nothing by a pull that failed",
    "message 4 of 4: waited for in vain",
  ],
  [
    "begins anew in each run",
    "goes on in the next run where the last one stopped",
    'too many: "message 0"',
  ],
  [
    "loses one of many",
    "feeds a pipeline, each message once",
    "the last of 50 messages: waited for in vain",
  ],
  [
    "never ends",
    "ends the pipeline when it has come to its end",
    "the end of the pipeline: waited for in vain",
  ],
  [
    "loses one on drain",
    "loses nothing when a pipeline is stopped in the middle",
    "the last of 40 messages: waited for in vain",
  ],
  [
    "takes failed for done",
    "takes back from a pipeline what failed",
    "the message that failed: waited for in vain",
  ],
  [
    "fails for ever",
    "lets a pipeline go on after a pull that failed",
    "the tenth message: waited for in vain",
  ],
  [
    "gives to every session",
    "feeds a pipeline from two sessions, each message once",
    "what was handled: too many",
  ],
  ["drains for long", "lets a pipeline with nothing to do stop soon", "it took 5000 ms"],
  ["keeps a timer", "leaves no timer and no handle behind", "timers of the clock are set"],
  [
    "keeps a handle",
    "leaves no timer and no handle behind",
    "resources of the process are in use: Timeout",
  ],
];
