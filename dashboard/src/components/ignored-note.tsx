import { count } from "../lib/numbers";
import { go, ignored, pageWith, path, query } from "../state/router";
import { Button } from "./basics";

/** The most parameters that are named. */
const MAX_NAMED = 5;

/** Names the parameters of the address that the page ignores, and what it would take. */
export function IgnoredNote() {
  const all = ignored.value;
  if (all.length === 0) return null;
  return (
    <div class="note warn beside-page" role="status" aria-label="What this page ignores">
      <p>
        <strong>A part of the address is ignored.</strong> The page uses the rest of it.
      </p>
      <ul>
        {all.slice(0, MAX_NAMED).map(({ name, value, why }, index) => (
          <li key={index}>
            <code>
              {name}={value}
            </code>{" "}
            {why}
          </li>
        ))}
        {all.length > MAX_NAMED && <li>{count(all.length - MAX_NAMED, "other parameter")}.</li>}
      </ul>
      <div class="row">
        <Button onClick={() => go(pageWith(path.value, Object.fromEntries(query.value)), { replace: true })}>Remove it from the address</Button>
      </div>
    </div>
  );
}

/** Says why changes of all that match are not offered: they would change more than the address asks for. */
export function WiderNote() {
  if (ignored.value.length === 0) return null;
  return <span class="warn small">Not offered for all while a part of the address is ignored, because that would change more than the address asks for.</span>;
}
