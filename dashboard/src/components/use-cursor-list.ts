import { useEffect, useMemo } from "preact/hooks";
import { CursorList, type Portion } from "../lib/cursor-list";
import { useReturn } from "./use-return";

/** Reads a list by cursors. Starts over when `keys` change, and continues when the scheduler answers again. */
export function useCursorList<Item>(load: (cursor: string | undefined, signal: AbortSignal) => Promise<Portion<Item>>, keys: readonly unknown[]): CursorList<Item> {
  const list = useMemo(() => new CursorList(load), keys);
  useEffect(() => {
    void list.more();
    return () => list.close();
  }, [list]);
  useReturn(() => {
    if (list.error) void list.more();
  });
  // Reading the version renders the component again when the list changes.
  void list.version.value;
  return list;
}
