import type { ListedCalendar } from "../../api/types";
import { Button, Link } from "../../components/basics";
import { calendarsIn, exceptionOf, leavingOut, type Language } from "../../lib/sentence-calendars";
import { whole } from "../../lib/numbers";

/** The most calendars that have a button. */
const MAX_OFFERED = 12;

interface WordsCalendarsProps {
  /** Undefined while they are not known. */
  calendars: readonly ListedCalendar[] | undefined;
  text: string;
  language: Language;
  onChange: (sentence: string) => void;
}

/** Says how a sentence names a calendar, and offers those of the namespace that it does not name yet. */
export function WordsCalendars({ calendars, text, language, onChange }: WordsCalendarsProps) {
  if (!calendars) return null;
  const [first] = calendars;
  if (!first) {
    return (
      <p class="muted small">
        To leave out holidays or other days, create a calendar with them under <Link to="/calendars">Calendars</Link>, and name it here. This namespace has none yet.
      </p>
    );
  }
  const named = calendarsIn(text);
  const others = calendars.filter(({ name }) => !named.includes(name));
  return (
    <div class="stack small-gap">
      <p class="muted small">
        To leave out the days of a calendar, name it in double quotes, as in: <code>{exceptionOf(first.name, language)}</code>
      </p>
      {others.length > 0 && (
        <div class="row" role="group" aria-label="Calendars to leave out">
          {others.slice(0, MAX_OFFERED).map(({ name, description }) => (
            <Button key={name} class="wraps" title={description ?? ""} onClick={() => onChange(leavingOut(text.trim() === "" ? "every day at 09:00" : text, name, language))}>
              {language === "de" ? "ohne" : "except"} {name}
            </Button>
          ))}
          {others.length > MAX_OFFERED && <span class="muted small">and {whole(others.length - MAX_OFFERED)} others by their names</span>}
        </div>
      )}
    </div>
  );
}
