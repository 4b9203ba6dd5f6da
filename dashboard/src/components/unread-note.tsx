import { list } from "../lib/sentence";
import { unreadLabels } from "../state/unread";

interface UnreadNoteProps {
  /** What is shown of the form without these fields, as in `the runs below are those of the task`. */
  what: string;
  /** Whether the note is about a field, by its label. By default it is about all of them. */
  isAbout?: (label: string) => boolean;
}

/** Says that the page does not show what the form says now, because one of its fields cannot be read yet. */
export function UnreadNote({ what, isAbout = () => true }: UnreadNoteProps) {
  const labels = unreadLabels.value.filter(isAbout);
  if (labels.length === 0) return null;
  return (
    <p class="note warn" role="status">
      <span>
        <strong>This is not what you have typed.</strong> {list(labels.map((label) => `“${label}”`))} cannot be read yet, so {what} as before.
      </span>
    </p>
  );
}
