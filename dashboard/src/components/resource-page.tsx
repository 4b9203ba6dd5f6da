// A page with a table of what an operator sets up, such as limits or keys: a dialog creates or changes one, another removes one.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Polled } from "../state/live";
import { tell } from "../state/notices";
import { Button, Empty, ErrorNote, Loading, PageHead } from "./basics";
import { ActionDialog } from "./dialog";

export interface Column<Item> {
  title: string;
  isNumber?: boolean;
  /** What the column contains, if its values may be long: names, which have no spaces, or sentences. */
  kind?: "name" | "text";
  cell: (item: Item) => ComponentChildren;
}

/** How an item is removed. */
interface Removal<Item> {
  verb: string;
  /** Names the item in the title of the dialog, as in `the limit stripe`. */
  what: (item: Item) => string;
  /** What the removal has as a consequence. */
  effect: ComponentChildren;
  /** Returns the text that must be typed first. */
  confirmWith?: (item: Item) => string;
  /** Removes the item, and returns the notice to show. */
  act: (item: Item) => Promise<string>;
  isOffered?: (item: Item) => boolean;
}

interface ResourcePageProps<Item> {
  title: string;
  about: string;
  read: Polled<readonly Item[]>;
  /** Names an item for the labels of its buttons. */
  nameOf: (item: Item) => string;
  keyOf: (item: Item) => string;
  columns: readonly Column<Item>[];
  /** Whether the API key may change items. */
  mayChange: boolean;
  /** The label of the button that creates an item. */
  addLabel: string;
  /** Returns the dialog that changes an item, or the one that creates an item if it is undefined. `onDone` reads the list again. */
  editor: (item: Item | undefined, onClose: () => void, onDone: () => void) => ComponentChildren;
  /** Whether an item can be changed. If this is absent, no item can. */
  isEditable?: (item: Item) => boolean;
  removal: Removal<Item>;
  /** Returns further buttons of an item. */
  moreActions?: (item: Item) => ComponentChildren;
  /** The text in place of an empty table. */
  none?: { title: string; text: ComponentChildren };
  /** The content below the table. */
  children?: ComponentChildren;
}

export function ResourcePage<Item>(props: ResourcePageProps<Item>) {
  const { title, about, read, mayChange, addLabel, editor, removal, none, children } = props;
  const { value, error, refresh } = read;
  const [edited, setEdited] = useState<{ item: Item | undefined }>();
  const [removed, setRemoved] = useState<Item>();
  const close = () => setEdited(undefined);
  return (
    <div class="page">
      <PageHead title={title} about={about}>
        {mayChange && (
          <Button kind="main" icon="create" onClick={() => setEdited({ item: undefined })}>
            {addLabel}
          </Button>
        )}
      </PageHead>
      <ErrorNote error={error} onRetry={refresh} />
      {!value && !error && <Loading />}
      {value?.length === 0 && none && <Empty title={none.title}>{none.text}</Empty>}
      {value && (value.length > 0 || !none) && <Rows {...props} items={value} onEdit={(item) => setEdited({ item })} onRemove={setRemoved} />}
      {children}
      {edited && editor(edited.item, close, refresh)}
      {removed !== undefined && (
        <ActionDialog
          title={`${removal.verb} ${removal.what(removed)}`}
          verb={removal.verb}
          isDanger
          {...(removal.confirmWith ? { confirmWith: removal.confirmWith(removed) } : {})}
          onClose={() => setRemoved(undefined)}
          onAct={async () => {
            tell(await removal.act(removed));
            refresh();
          }}
        >
          <p>{removal.effect}</p>
        </ActionDialog>
      )}
    </div>
  );
}

interface RowsProps<Item> extends ResourcePageProps<Item> {
  items: readonly Item[];
  onEdit: (item: Item) => void;
  onRemove: (item: Item) => void;
}

function Rows<Item>({ title, items, columns, nameOf, keyOf, mayChange, isEditable, removal, moreActions, onEdit, onRemove }: RowsProps<Item>) {
  return (
    <div class="scrolls" tabIndex={0} role="region" aria-label={title}>
      <table class="table cards">
        <thead>
          <tr>
            {columns.map((column) => (
              <th scope="col" key={column.title} class={column.isNumber ? "number" : ""}>
                {column.title}
              </th>
            ))}
            <th scope="col">
              <span class="hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={keyOf(item)} data-row>
              {columns.map(({ title: name, isNumber, kind, cell }) => (
                <td key={name} class={isNumber ? "number" : kind ? `${kind}-cell` : ""} data-title={name}>
                  {cell(item)}
                </td>
              ))}
              <td>
                {mayChange && (
                  <div class="actions end">
                    {moreActions?.(item)}
                    {isEditable?.(item) && (
                      <Button kind="quiet" aria-label={`Change ${nameOf(item)}`} onClick={() => onEdit(item)}>
                        Change
                      </Button>
                    )}
                    {removal.isOffered?.(item) !== false && (
                      <Button kind="quiet" aria-label={`${removal.verb} ${nameOf(item)}`} onClick={() => onRemove(item)}>
                        {removal.verb}
                      </Button>
                    )}
                  </div>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
