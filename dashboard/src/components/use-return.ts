import { useEffect, useRef } from "preact/hooks";
import { isReachable } from "../api/client";

/** Calls `again` when the scheduler answers after it was unreachable. */
export function useReturn(again: () => void): void {
  const wasAway = useRef(false);
  const isHere = isReachable.value;
  useEffect(() => {
    if (isHere && wasAway.current) again();
    wasAway.current = !isHere;
  }, [isHere]);
}
