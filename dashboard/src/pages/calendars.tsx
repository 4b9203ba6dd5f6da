// Named calendars: days and times that recurring tasks leave out.

import { deleteCalendar, listCalendars } from "../api/calendars";
import type { ListedCalendar } from "../api/types";
import { Link, Time } from "../components/basics";
import { ResourcePage, type Column } from "../components/resource-page";
import { usageOf } from "../lib/calendars";
import { ASKS_ONE, usePoll } from "../state/live";
import { calendarPath } from "../state/router";
import { mayWrite, namespace } from "../state/session";
import { CalendarDialog } from "./calendars/editor";

/** While tasks are updated, which takes seconds. */
const EVERY_MS = 3_000;

const Usage = ({ of }: { of: ListedCalendar }) => {
  const { text, isWarning } = usageOf(of);
  return <span class={isWarning ? "warn" : "muted"}>{text}</span>;
};

const COLUMNS: readonly Column<ListedCalendar>[] = [
  { title: "Name", cell: ({ name }) => <Link to={calendarPath(name)}>{name}</Link> },
  { title: "Description", cell: ({ description }) => description ?? <span class="muted">–</span> },
  { title: "Tasks", cell: (calendar) => <Usage of={calendar} /> },
  { title: "Changed", cell: ({ updatedAt }) => <Time at={updatedAt} /> },
];

/** How a calendar is removed, from the list or from its page. */
export const REMOVAL = {
  verb: "Delete",
  what: ({ name }: ListedCalendar) => `the calendar ${name}`,
  effect: "Only a calendar that no task names can be deleted. To find such tasks, the scheduler reads the recurring tasks of the namespace.",
  act: async (calendar: ListedCalendar) => {
    await deleteCalendar(calendar);
    return `The calendar ${calendar.name} is deleted.`;
  },
};

export function Calendars() {
  const read = usePoll(listCalendars, [namespace.value], { everyMs: (calendars) => (calendars.some(({ pending }) => pending) ? EVERY_MS : 0), ...ASKS_ONE });
  return (
    <ResourcePage
      title="Calendars"
      about="Days and times that recurring tasks leave out by name. When a calendar changes, its tasks follow, and are counted."
      read={read}
      columns={COLUMNS}
      nameOf={({ name }) => name}
      keyOf={({ name }) => name}
      mayChange={mayWrite.value}
      addLabel="Create a calendar"
      isEditable={() => true}
      editor={(calendar, onClose, onDone) => <CalendarDialog name={calendar?.name} onClose={onClose} onDone={onDone} />}
      removal={REMOVAL}
      none={{
        title: "No calendars",
        text: "Create one for the public holidays of a country, or for the hours in which an office is closed. A recurring task that names it does not fire on these days and at these times. Change the calendar in one place, such as for the holidays of the next year, and all its tasks follow.",
      }}
    />
  );
}
