// The fields of the page whose texts cannot be read yet, such as broken JSON. What the page computes from a form then does not follow from these texts.

import { computed, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

const fields = signal<ReadonlyMap<symbol, string>>(new Map());

/** The labels of these fields. */
export const unreadLabels = computed<readonly string[]>(() => [...fields.value.values()]);

/** Notes that a field cannot be read, as long as that is so and the field is there. */
export function useUnread(label: string, isUnread: boolean): void {
  useEffect(() => {
    if (!isUnread) return undefined;
    const id = Symbol(label);
    fields.value = new Map(fields.peek()).set(id, label);
    return () => {
      const others = new Map(fields.peek());
      others.delete(id);
      fields.value = others;
    };
  }, [label, isUnread]);
}
