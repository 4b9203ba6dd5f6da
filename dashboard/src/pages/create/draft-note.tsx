import { Button, Time } from "../../components/basics";
import { list } from "../../lib/sentence";
import type { Draft } from "../../state/drafts";

/** Says that the form holds what was typed before, and offers to begin again without it. */
export function DraftNote({ draft: { at, headers }, onDiscard }: { draft: Draft; onDiscard: () => void }) {
  return (
    <div class="note" role="status" aria-label="Draft">
      <p>
        <strong>Your draft is restored.</strong> This tab kept what you typed until <Time at={at} />, and keeps it until you create the task, sign out or close the tab.
      </p>
      {headers.length > 0 && (
        <p>
          The headers of the target are not kept, because they may be secrets. Enter them again: <code>{list(headers)}</code>.
        </p>
      )}
      <div class="row">
        <Button onClick={onDiscard}>Discard the draft</Button>
      </div>
    </div>
  );
}
