/** True if the two are the very same type; `any` equals nothing but itself. */
export type Equal<Left, Right> =
  (<Probe>() => Probe extends Left ? 1 : 2) extends <Probe>() => Probe extends Right ? 1 : 2
    ? true
    : false;

/** Compiles only if the value is of exactly this type: `expectType<string>()(value, true)`. */
export const expectType =
  <Expected>() =>
  <Actual>(_value: Actual, _same: Equal<Actual, Expected>): void => {};
