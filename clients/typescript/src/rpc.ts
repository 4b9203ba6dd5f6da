/**
 * A result as a caller over RPC gets it: the same, with `any` in place of `unknown`. The types of the platform turn a
 * result with `unknown` in it into `never`.
 */
export type OverRpc<Value> = unknown extends Value
  ? any
  : Value extends Date | undefined | null | string | number | boolean
    ? Value
    : Value extends readonly (infer Item)[]
      ? OverRpc<Item>[]
      : Value extends object
        ? { [Name in keyof Value]: OverRpc<Value[Name]> }
        : Value;
