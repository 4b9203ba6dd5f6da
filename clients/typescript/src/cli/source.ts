// What the source of a main module shows about its default export. The Worker itself checks it exactly: see src/worker/holder.ts.

/** Whether a module has a default export. */
export function hasDefault(source: string): boolean {
  return /\bexport\s+default\b|\bexport\s*\{[^}]*\bdefault\b[^}]*\}/.test(withoutComments(source));
}

/**
 * Whether the default export of a module is clearly not the scheduler: the module defines it, and uses nothing of the scheduler's Worker
 * for it.
 */
export function lacksScheduler(source: string): boolean {
  const text = withoutComments(source);
  return /\bexport\s+default\b/.test(text) && !/\bSchedulerWorker\b|\bimport\s+(\w+)[^;]*["']durable-scheduler\/worker["']/.test(text);
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
}
