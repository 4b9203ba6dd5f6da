// The fields for days and times that are left out: of a calendar, and of a task.

import { useState } from "preact/hooks";
import { readItems, WEEKDAYS, writeItems, type ItemList, type Items } from "../lib/items";
import { isEqual } from "../lib/definition";
import { Check, TextArea, TextField } from "./field";

interface ItemsFieldsProps {
  items: Items;
  /** Sets a list; an empty one removes it. */
  change: (name: ItemList, items: string[]) => void;
  /** Returns why a list was refused; undefined if it was not. */
  errorOf: (name: ItemList) => string | undefined;
}

/** Returns the text of a list, and a function that changes it. The text keeps what is not an item yet, such as a comma at its end. */
function useTypedItems(name: ItemList, { items, change }: ItemsFieldsProps): [string, (text: string) => void] {
  const list = items[name] ?? [];
  const [typed, setTyped] = useState("");
  const text = isEqual(readItems(typed, name), list) ? typed : writeItems(list, name);
  return [
    text,
    (next) => {
      setTyped(next);
      change(name, readItems(next, name));
    },
  ];
}

function Weekdays({ items, change, errorOf }: ItemsFieldsProps) {
  const chosen = (items.weekdays ?? []).map((day) => day.toUpperCase());
  const error = errorOf("weekdays");
  return (
    <fieldset class="plain">
      <legend class="muted small">Weekdays</legend>
      <div class="row">
        {WEEKDAYS.map((day) => (
          <Check key={day} label={day} isChecked={chosen.includes(day)} onChange={(isChecked) => change("weekdays", WEEKDAYS.filter((other) => (other === day ? isChecked : chosen.includes(other))))} />
        ))}
      </div>
      {error && <p class="field-error">{error}</p>}
    </fieldset>
  );
}

export function ItemsFields(props: ItemsFieldsProps) {
  const { errorOf } = props;
  const [dates, setDates] = useTypedItems("dates", props);
  const [times, setTimes] = useTypedItems("times", props);
  const [rules, setRules] = useTypedItems("rules", props);
  return (
    <>
      <TextArea label="Dates" rows={2} value={dates} onChange={setDates} error={errorOf("dates")} help="With commas or one a line: 2026-12-24 is a day, 12-24 a day of every year, and 12-24/01-02 all days from one to the other." />
      <Weekdays {...props} />
      <TextField label="Times of day" isCode value={times} onChange={setTimes} error={errorOf("times")} help="With commas: 12:00-13:00, or 22:00-06:00 past midnight. The end is not a part of it." />
      <TextArea label="Rules (RFC 5545), one a line" rows={2} value={rules} onChange={setRules} error={errorOf("rules")} help="Such as FREQ=MONTHLY;BYMONTHDAY=-1, the last day of each month." />
    </>
  );
}
