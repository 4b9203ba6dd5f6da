// The tags of a task in a row, which has room for few, and all of them in a dialog.

import { Tag } from "../../components/basics";
import { Dialog } from "../../components/dialog";
import { named } from "../../lib/names";
import { writeTag } from "../../lib/tags";
import { pageWith } from "../../state/router";

const TagLink = ({ tag, isSkipped = false }: { tag: string; isSkipped?: boolean }) => (
  <Tag to={pageWith("/tasks", { tag: writeTag(tag) })} title={tag} isSkipped={isSkipped}>
    {tag}
  </Tag>
);

/** The most letters of a single tag that the column shows. */
const SHORT = 10;

/** Shows the tags that there is room for, and a button for all of them if some may be cut off. */
export function RowTags({ id, tags, onShow }: { id: string; tags: readonly string[]; onShow: () => void }) {
  const mayBeCut = tags.length > 1 || (tags[0]?.length ?? 0) > SHORT;
  const text = tags.length > 1 ? `all ${tags.length}` : "whole";
  return (
    <span class="row-tags">
      <span class="clip">
        {/* There may be no room for the others: the keyboard reaches them by the button. */}
        {tags.map((tag, index) => (
          <TagLink key={tag} tag={tag} isSkipped={index > 0} />
        ))}
      </span>
      {mayBeCut && (
        <button type="button" class="as-text small" title={tags.join(", ")} aria-label={`${text} ${tags.length > 1 ? "tags" : "tag"} of ${id}`} onClick={onShow}>
          {text}
        </button>
      )}
    </span>
  );
}

export function TagsDialog({ id, tags, onClose }: { id: string; tags: readonly string[]; onClose: () => void }) {
  return (
    <Dialog title={`Tags of ${named(id)}`} onClose={onClose}>
      {/* A tag is a link to the tasks with it. */}
      <ul class="dialog-body all-tags" onClick={(event) => (event.target as Element).closest("a") && onClose()}>
        {tags.map((tag) => (
          <li key={tag}>
            <TagLink tag={tag} />
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
