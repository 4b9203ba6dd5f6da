/** Any JSON, as far as the types of the platform carry it over RPC. */
type AnyJson = string | number | boolean | object | null | undefined;

/**
 * A result as a caller over RPC gets it: the same, with {@link AnyJson} in place of `unknown`. The types of the platform
 * turn a result with `unknown` in it into `never`.
 */
export type OverRpc<Value> = unknown extends Value
  ? AnyJson
  : Value extends Date | string | number | boolean | null | undefined
    ? Value
    : Value extends readonly (infer Item)[]
      ? OverRpc<Item>[]
      : Value extends object
        ? { [Name in keyof Value]: OverRpc<Value[Name]> }
        : Value;
