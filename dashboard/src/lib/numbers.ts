import { WHOLE } from "./intl";

/** Formats a whole number with separators of thousands. */
export const whole = (value: number): string => WHOLE.format(value);

/** Formats a large number in short: `1.2 M`. */
export function short(value: number): string {
  if (value < 10_000) return whole(value);
  for (const [unit, name] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]] as const) {
    if (value >= unit) return `${(value / unit).toPrecision(3)} ${name}`;
  }
  return whole(value);
}

/** Formats an amount in dollars, however small: `$0.0023`. */
export function dollars(value: number): string {
  if (value === 0) return "$0";
  if (value >= 100) return `$${whole(Math.round(value))}`;
  if (value >= 0.01) return `$${value.toFixed(2)}`;
  return value >= 0.000_01 ? `$${value.toPrecision(2)}` : "under $0.00001";
}

/** Formats a number of bytes. */
export function bytes(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)} GB`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} MB`;
  return value >= 1e3 ? `${(value / 1e3).toFixed(1)} kB` : `${value} B`;
}

/** Formats a number with its noun: `1 task`, `2 tasks`. */
export const count = (value: number, noun: string): string => `${whole(value)} ${noun}${value === 1 ? "" : "s"}`;
