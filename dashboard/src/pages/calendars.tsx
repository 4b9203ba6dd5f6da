// Named calendars: days and times that recurring tasks leave out.

import { deleteCalendar, findUsers, listCalendars } from "../api/calendars";
import type { ListedCalendar } from "../api/types";
import { Link, Time } from "../components/basics";
import { ResourcePage, type Column } from "../components/resource-page";
import { usageOf, type Users } from "../lib/calendars";
import { ASKS_ONE, usePoll } from "../state/live";
import { calendarPath } from "../state/router";
import { mayWrite, namespace } from "../state/session";
import { CalendarDialog } from "./calendars/editor";

/** While tasks are updated, which takes seconds. */
const EVERY_MS = 3_000;

/** Reads which tasks name calendars, again when one of the calendars has changed. Their number is not a part of the calendars. */
export function useUsers(calendars: readonly ListedCalendar[]): Users | undefined {
  const read = async (signal: AbortSignal): Promise<Users> => (calendars.length === 0 ? { of: new Map(), isWhole: true } : findUsers(signal));
  return usePoll(read, [namespace.value, calendars.map(({ name, updatedAt }) => `${name} ${updatedAt}`).join()], { everyMs: 0, requests: 1, shards: (all) => all }).value;
}

/** Shows how many tasks name a calendar. */
export function Usage({ of, users }: { of: ListedCalendar; users: Users | undefined }) {
  const { text, isWarning } = usageOf(of, users);
  return <span class={isWarning ? "warn" : ""}>{text}</span>;
}

const columnsWith = (users: Users | undefined): readonly Column<ListedCalendar>[] => [
  { title: "Name", kind: "name", cell: ({ name }) => <Link to={calendarPath(name)}>{name}</Link> },
  { title: "Description", kind: "text", cell: ({ description }) => description ?? <span class="muted">–</span> },
  { title: "Tasks", kind: "text", cell: (calendar) => <Usage of={calendar} users={users} /> },
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
  const read = usePoll(listCalendars, [namespace.value], { everyMs: ({ calendars }) => (calendars.some(({ pending }) => pending) ? EVERY_MS : 0), ...ASKS_ONE });
  const users = useUsers(read.value?.calendars ?? []);
  return (
    <ResourcePage
      title="Calendars"
      about="Days and times that recurring tasks leave out by name. When a calendar changes, its tasks follow."
      read={{ ...read, value: read.value?.calendars }}
      columns={columnsWith(users)}
      nameOf={({ name }) => name}
      keyOf={({ name }) => name}
      mayChange={mayWrite.value}
      addLabel="Create a calendar"
      isEditable={() => true}
      editor={(calendar, onClose, onDone) => <CalendarDialog name={calendar?.name} unreadable={read.value?.unreadable ?? []} onClose={onClose} onDone={onDone} />}
      removal={REMOVAL}
      none={{
        title: "No calendars",
        text: "Create one for the public holidays of a country, or for the hours in which an office is closed. A recurring task that names it does not fire on these days and at these times. Change the calendar in one place, such as for the holidays of the next year, and all its tasks follow.",
      }}
    >
      <UnreadableNote names={read.value?.unreadable ?? []} />
    </ResourcePage>
  );
}

/** Names the calendars that are stored, but cannot be read. */
function UnreadableNote({ names }: { names: readonly string[] }) {
  if (names.length === 0) return null;
  return (
    <p class="note warn" role="status">
      The scheduler cannot read {names.length === 1 ? "the calendar" : "the calendars"} {names.join(", ")}. Tasks keep the items that they have. Create {names.length === 1 ? "it" : "them"} again.
    </p>
  );
}
