/**
 * Returns a value as JSON. A `Date` becomes its time in RFC 3339.
 *
 * Throws a `TypeError` for an invalid `Date` and for a number that is not finite. JSON has only null for these, and in a
 * filter null selects more than was meant.
 */
export function toJson(value: unknown): string {
  return JSON.stringify(value, checked);
}

function checked(this: unknown, name: string, value: unknown): unknown {
  // A Date is a text here already, or null if it is invalid.
  if (value === null || typeof value === "number") {
    const original = (this as Record<string, unknown>)[name];
    if (original instanceof Date) throw new TypeError(`${name || "the value"} is an invalid Date`);
    if (typeof original === "number" && !Number.isFinite(original)) throw new TypeError(`${name || "the value"} is ${original}`);
  }
  return value;
}

/** A value of a parameter of a query. */
export type QueryValue = string | number | boolean | Date | readonly string[] | null | undefined;

/** Returns a query with its question mark, or empty text. Lists repeat their parameter. */
export function toQuery(parameters: Readonly<Record<string, QueryValue>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null || value === undefined) continue;
    for (const item of Array.isArray(value) ? value : [value]) query.append(name, toText(name, item));
  }
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

function toText(name: string, value: unknown): string {
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new TypeError(`${name} is an invalid Date`);
    return value.toISOString();
  }
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`${name} is ${value}`);
  return String(value);
}
