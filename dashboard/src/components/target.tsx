import type { Callback } from "../api/types";
import { targetOf } from "../lib/target";

/** Shows what a callback calls: its name, as every page has it, and then what the name leaves out. */
export function Target({ of }: { of: Callback | undefined }) {
  const { name, detail } = targetOf(of);
  return (
    <span title={detail === undefined ? name : `${name}\n${detail}`}>
      {name}
      {detail !== undefined && <span class="muted target-detail"> {detail}</span>}
    </span>
  );
}
