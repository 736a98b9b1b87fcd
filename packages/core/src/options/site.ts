import type { ConfigurationIssue } from "../errors.ts";
import { describeValue, isSecretKey, pathTo } from "./words.ts";

/** What an option has to be, as data: a tree of these describes all options of a connector. */
export interface Checker {
  /** In words, as a message says it: `an integer ≥ 1`. */
  readonly expected: string;
  /** Reports what does not fit; never throws. */
  inspect(value: unknown, site: Site): void;
}

/** Where in the options a checker is looking, and where it reports what it finds. */
export class Site {
  /** As a user would write it: `batchers.events.size`; empty at the root. */
  readonly path: string;
  readonly #report: (issue: ConfigurationIssue) => void;
  readonly #secret: boolean;

  constructor(report: (issue: ConfigurationIssue) => void, path = "", secret = false) {
    this.#report = report;
    this.path = path;
    this.#secret = secret;
  }

  /** The place of a key below; everything below a key that names a secret is kept secret. */
  at(key: string): Site {
    return new Site(this.#report, pathTo(this.path, key), this.#secret || isSecretKey(key));
  }

  /** The same place, with a hint for every mistake that comes without one. */
  hinting(hint: string): Site {
    const report = (issue: ConfigurationIssue): void =>
      this.#report({ ...issue, hint: issue.hint ?? hint });
    return new Site(report, this.path, this.#secret);
  }

  /** Reports a mistake; `got` is described without its content where that may be secret. */
  mistake(expected: string, got: unknown, hint?: string): void {
    this.mistakeInWords(expected, describeValue(got, this.#secret), hint);
  }

  /** Reports a mistake without what came: where a structure is expected, anything may have slipped in, a secret for one. */
  mistakeUnseen(expected: string, got: unknown): void {
    this.mistakeInWords(expected, describeValue(got, true));
  }

  /** Reports a mistake whose `got` is in words already. */
  mistakeInWords(expected: string, got: string, hint?: string): void {
    this.#report({ path: this.path === "" ? "options" : this.path, expected, got, hint });
  }
}
