import { useEffect, useMemo } from "preact/hooks";
import { CursorList, type Portion } from "../lib/cursor-list";
import { useReturn } from "./use-return";

/** Reads a list by cursors, from its beginning whenever `keys` change. Goes on by itself when the scheduler is back. */
export function useCursorList<Item>(load: (cursor: string | undefined, signal: AbortSignal) => Promise<Portion<Item>>, keys: readonly unknown[]): CursorList<Item> {
  const list = useMemo(() => new CursorList(load), keys);
  useEffect(() => {
    void list.more();
    return () => list.close();
  }, [list]);
  useReturn(() => {
    if (list.error) void list.more();
  });
  // Draws again when the list has changed.
  void list.version.value;
  return list;
}
