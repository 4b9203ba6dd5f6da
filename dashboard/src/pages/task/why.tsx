// Why a task does or does not fire, and what can be done about it.

import type { Explanation } from "../../api/types";
import { ApiText, Link } from "../../components/basics";
import { reasonOf } from "../../lib/reasons";
import { LetterActions } from "../dead-letters/actions";

/** The pages about some reasons. */
const PAGE_OF: Readonly<Partial<Record<Explanation["reasons"][number]["code"], { to: string; name: string }>>> = {
  limited: { to: "/limits", name: "Limits" },
  "circuit-open": { to: "/", name: "Overview" },
};

/** Shows the reasons of an explanation. A reason about a dead letter has the buttons that replay and discard it. */
export function Why({ id, explanation, onChanged }: { id: string; explanation: Explanation; onChanged: () => void }) {
  return (
    <section class="panel" aria-labelledby="why">
      <div class="panel-head">
        <h2 id="why">Why</h2>
      </div>
      <ul class="reasons">
        {explanation.reasons.map(reasonOf).map(({ code, text, deadLetterId }) => (
          <li key={deadLetterId ?? text}>
            <code>{code}</code>
            <div>
              <span>
                <ApiText>{text}</ApiText>
              </span>{" "}
              {PAGE_OF[code] && <Link to={PAGE_OF[code].to}>{PAGE_OF[code].name}</Link>}
              {deadLetterId !== undefined && (
                <div class="row">
                  <LetterActions id={deadLetterId} taskId={id} onChanged={onChanged} />
                  <Link to={`/dead-letters/${encodeURIComponent(deadLetterId)}`}>Open the dead letter</Link>
                </div>
              )}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
