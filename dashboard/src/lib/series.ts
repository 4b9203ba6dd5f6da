// Sums over the buckets of a series or a forecast.

/** The names of the members that are numbers. */
type Counts<Bucket> = { [Name in keyof Bucket]-?: Bucket[Name] extends number ? Name : never }[keyof Bucket];

/** Adds up one count of some buckets. */
export function sumOf<Bucket extends object>(buckets: readonly Bucket[], name: Counts<Bucket>): number {
  return buckets.reduce((sum, bucket) => sum + (bucket[name] as number), 0);
}

/** Returns how many of the last buckets in a row have a count above zero, and the highest of these counts. */
export function lastStretch<Bucket extends object>(buckets: readonly Bucket[], name: Counts<Bucket>): { length: number; most: number } {
  let [length, most] = [0, 0];
  for (const bucket of buckets.toReversed()) {
    const value = bucket[name] as number;
    if (value === 0) break;
    length += 1;
    most = Math.max(most, value);
  }
  return { length, most };
}

/** Returns the highest value of any bucket, and the beginning of that bucket. */
export function mostOf<Bucket extends { at: number }>(buckets: readonly Bucket[], value: (bucket: Bucket) => number): { most: number; at: number | undefined } {
  return buckets.reduce<{ most: number; at: number | undefined }>((best, bucket) => (value(bucket) > best.most ? { most: value(bucket), at: bucket.at } : best), { most: 0, at: undefined });
}
