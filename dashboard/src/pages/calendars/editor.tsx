// Creates a calendar, or replaces its items and its description.

import { useEffect, useState } from "preact/hooks";
import { ApiError, type Answer } from "../../api/client";
import { createCalendar, getCalendar, replaceCalendar } from "../../api/calendars";
import type { Calendar } from "../../api/types";
import { ErrorNote } from "../../components/basics";
import { ActionDialog, Dialog } from "../../components/dialog";
import { TextField } from "../../components/field";
import { ItemsFields } from "../../components/items-fields";
import { itemsOf, itemsText } from "../../lib/items";
import { tell } from "../../state/notices";

interface EditorProps {
  /** The calendar to change; undefined to create one. */
  name: string | undefined;
  /** The names of the calendars that cannot be read, and may be created again. */
  unreadable?: readonly string[];
  onClose: () => void;
  onDone: () => void;
}

/** Reads the calendar with its items, which a list does not have, before it shows the form. */
export function CalendarDialog({ name, unreadable = [], onClose, onDone }: EditorProps) {
  const [base, setBase] = useState<Answer<Calendar>>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (name !== undefined) getCalendar(name).then(setBase, setError);
  }, [name]);
  if (name !== undefined && !base) {
    if (error === undefined) return null;
    return (
      <Dialog title={`Change the calendar ${name}`} onClose={onClose}>
        <div class="dialog-body">
          <ErrorNote error={error} />
        </div>
      </Dialog>
    );
  }
  return <Editor base={base} unreadable={unreadable} onClose={onClose} onDone={onDone} />;
}

function Editor({ base: read, unreadable = [], onClose, onDone }: Omit<EditorProps, "name"> & { base: Answer<Calendar> | undefined }) {
  const base = read?.body;
  /** What a change replaces. */
  const [replaced, setReplaced] = useState(read);
  const [name, setName] = useState(base?.name ?? "");
  const [description, setDescription] = useState(base?.description ?? "");
  const [items, setItems] = useState(() => itemsOf(base ?? {}));

  const act = async () => {
    const calendar = { ...items, ...(description === "" ? {} : { description }) };
    try {
      if (replaced) await replaceCalendar(name, calendar, replaced.etag);
      else await createCalendar(name, calendar, unreadable.includes(name));
    } catch (error) {
      if (!(error instanceof ApiError) || !error.is("other-version")) throw error;
      if (!replaced) throw new Error(`There is a calendar ${name} already. Choose another name, or close this dialog and change that one.`);
      const theirs = await getCalendar(name);
      setReplaced(theirs);
      throw new Error(`Somebody has changed ${name} since you opened it. It has now: ${itemsText(itemsOf(theirs.body))}. “Change” once more replaces that with yours; closing this dialog keeps it.`);
    }
    tell(`The calendar ${name} is ${base ? "changed" : "created"}.`);
    onDone();
  };
  const isEmpty = Object.keys(items).length === 0;
  return (
    <ActionDialog title={base ? `Change the calendar ${base.name}` : "Create a calendar"} verb={base ? "Change" : "Create"} onAct={act} onClose={onClose} isDisabled={name === "" || isEmpty}>
      {(errorOf) => (
        <>
          {!base && <TextField label="Name" isCode value={name} onChange={setName} isRequired error={errorOf("id")} help="Tasks name it in “exclude”, such as de-holidays: letters, digits, dots, underscores and hyphens." />}
          <TextField label="Description (optional)" value={description} onChange={setDescription} error={errorOf("description")} />
          <ItemsFields
            items={items}
            change={(list, next) => {
              const { [list]: _, ...rest } = items;
              setItems(next.length === 0 ? rest : { ...rest, [list]: next });
            }}
            errorOf={errorOf}
          />
          <p class="muted small">
            {base ? "The tasks that name it follow within seconds. " : ""}
            The items have no time zone: each task reads them on the clock of its own. At least one item is needed.
          </p>
        </>
      )}
    </ActionDialog>
  );
}
