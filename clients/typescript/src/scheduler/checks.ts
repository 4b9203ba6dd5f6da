// The checks of TypeScript on a task that calls a method. The scheduler checks the rest.

import type { DEFAULT_METHOD, ReservedName } from "./declarations.ts";

/**
 * The method of its own object that a callback calls: `onTask` if there is no callback, and `never` if the callback calls something else.
 */
export type MethodOf<Called> = Called extends undefined ? typeof DEFAULT_METHOD : Called extends { type: "self"; function: infer Method extends string } ? Method : never;

/** Anything, unless the callback calls a method that no task may call. */
export type CheckedCallback<Called> = Called extends { type: "self"; function: infer Method extends string }
  ? string extends Method
    ? { function: "TypeScript does not know the name of the method: use scheduleAny" }
    : Method extends ReservedName
      ? { function: "the runtime calls this method itself, or its name begins with _: no task may call it" }
      : unknown
  : unknown;

type Primitive = string | number | boolean | bigint | symbol | null | undefined;
type Anything<Value> = unknown extends Value ? true : false;

/** A value without the `readonly` that TypeScript infers for literals. */
export type Plain<Value> = Anything<Value> extends true ? Value : Value extends Primitive ? Value : { -readonly [Name in keyof Value]: Plain<Value[Name]> };

/** Values that JSON cannot hold, or holds as something else. */
type NoJson = bigint | symbol | Map<never, never> | Set<never> | ArrayBuffer | ArrayBufferView | ((...args: never) => unknown);

/** Anything, unless a part of the value would reach a method in another form. */
export type CheckedPayload<Value> =
  Anything<Value> extends true
    ? unknown
    : Value extends Date
      ? "JSON has no Date: give its toISOString(), or its getTime()"
      : Value extends NoJson
        ? "JSON cannot hold this"
        : Value extends Primitive
          ? unknown
          : { [Name in keyof Value]: CheckedPayload<Value[Name]> };

/** A number of seconds. For a literal below 1, the type is a text that says what is wrong. */
export type Interval<Seconds extends number> = `${Seconds}` extends "0" | `-${string}` | `0.${string}` | `${string}e-${string}` ? "give an interval of at least 1 second" : Seconds;
