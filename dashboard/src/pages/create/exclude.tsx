// The part of the form with the days and times that a recurring task leaves out.

import type { JsonObject } from "../../api/types";
import { Link } from "../../components/basics";
import { Check, Choice } from "../../components/field";
import { ItemsFields } from "../../components/items-fields";
import { useCalendars } from "../../components/use-calendars";
import { isObject } from "../../lib/definition";
import { itemsOf, textsOf } from "../../lib/items";
import { HERE } from "../../lib/time";
import { calendarPath } from "../../state/router";
import { textOf, type PartProps } from "./parts";

/** Returns `exclude` with another list. Without any item it is gone. */
function withList(exclude: JsonObject, name: string, items: string[]): JsonObject | undefined {
  const { [name]: _, ...rest } = exclude;
  const next: JsonObject = items.length === 0 ? rest : { ...rest, [name]: items };
  return Object.keys(next).some((member) => member !== "instead") ? next : undefined;
}

interface CalendarsProps {
  chosen: readonly string[];
  change: (names: string[]) => void;
  error: string | undefined;
}

/** Offers the calendars of the namespace. A name that is not among them stays until it is taken away. */
function CalendarChoice({ chosen, change, error }: CalendarsProps) {
  const calendars = useCalendars();
  const known = calendars?.map(({ name }) => name) ?? [];
  const names = [...known, ...chosen.filter((name) => !known.includes(name))];
  return (
    <fieldset class="plain">
      <legend class="muted small">Calendars</legend>
      {names.length === 0 ? (
        <p class="muted small">{calendars ? <>There is none in this namespace. Create one under <Link to="/calendars">Calendars</Link> to share days among tasks.</> : "…"}</p>
      ) : (
        <div class="stack small-gap">
          {names.map((name) => (
            <div class="row" key={name}>
              <Check label={name} isChecked={chosen.includes(name)} onChange={(isChecked) => change(isChecked ? [...chosen, name] : chosen.filter((other) => other !== name))} />
              {calendars && (known.includes(name) ? <Link to={calendarPath(name)}>Show</Link> : <span class="bad small">There is no such calendar.</span>)}
              <span class="muted small">{calendars?.find((calendar) => calendar.name === name)?.description}</span>
            </div>
          ))}
        </div>
      )}
      {error && <p class="field-error">{error}</p>}
    </fieldset>
  );
}

export function ExcludeFields({ definition, set, errorOf }: PartProps) {
  const exclude = isObject(definition["exclude"]) ? definition["exclude"] : {};
  const change = (name: string, items: string[]) => {
    const next = withList(exclude, name, items);
    // Days are read on the clock of a zone.
    set({ exclude: next, timezone: next ? (definition["timezone"] ?? HERE) : definition["timezone"] });
  };
  return (
    <div class="stack">
      <CalendarChoice chosen={textsOf(exclude["calendars"])} change={(names) => change("calendars", names)} error={errorOf("exclude.calendars")} />
      <ItemsFields items={itemsOf(exclude)} change={change} errorOf={(name) => errorOf(`exclude.${name}`)} />
      {definition["exclude"] !== undefined && (
        <Choice
          label="A run on such a day"
          value={textOf(exclude["instead"]) || "skip"}
          options={[
            ["skip", "does not fire"],
            ["next", "moves to the next day that is not left out"],
            ["previous", "moves to the previous day that is not left out"],
          ]}
          onChange={(instead) => {
            const { instead: _, ...rest } = exclude;
            set({ exclude: instead === "skip" ? rest : { ...rest, instead } });
          }}
          error={errorOf("exclude.instead")}
        />
      )}
      {errorOf("exclude") && <p class="field-error">{errorOf("exclude")}</p>}
    </div>
  );
}
