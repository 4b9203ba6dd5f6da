// Sums over the buckets of a series or a forecast.

/** The names of the members that are numbers. */
type Counts<Bucket> = { [Name in keyof Bucket]-?: Bucket[Name] extends number ? Name : never }[keyof Bucket];

/** Adds up one count of some buckets. */
export function sumOf<Bucket extends object>(buckets: readonly Bucket[], name: Counts<Bucket>): number {
  return buckets.reduce((sum, bucket) => sum + (bucket[name] as number), 0);
}

/** Returns the highest value of any bucket, and the beginning of that bucket. */
export function mostOf<Bucket extends { at: number }>(buckets: readonly Bucket[], value: (bucket: Bucket) => number): { most: number; at: number | undefined } {
  return buckets.reduce<{ most: number; at: number | undefined }>((best, bucket) => (value(bucket) > best.most ? { most: value(bucket), at: bucket.at } : best), { most: 0, at: undefined });
}
