// What the source of a main module shows about its exports. The Worker itself checks its default export exactly: see src/worker/holder.ts.

import { OBJECTS } from "./requirements.ts";

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

/** Whether a module may export the classes of the scheduler: it names each of them, or exports all of another module. */
export function mayExportObjects(source: string): boolean {
  const text = withoutComments(source);
  return /\bexport\s*\*/.test(text) || OBJECTS.every(([, className]) => new RegExp(`\\b${className}\\b`).test(text));
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "");
}
