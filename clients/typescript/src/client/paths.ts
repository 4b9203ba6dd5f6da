/** Returns the path of something with an id, and of an action on it. Throws a `TypeError` for an id that no path can have. */
export function pathOf(collection: string, id: string, action?: string): string {
  if (typeof id !== "string" || id === "" || id === "." || id === "..") throw new TypeError(`id is ${JSON.stringify(id)}, which cannot be part of a path`);
  const path = `/v1/${collection}/${encodeURIComponent(id)}`;
  return action === undefined ? path : `${path}/${action}`;
}
