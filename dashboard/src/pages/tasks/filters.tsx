// The search and the filters of lists. They are kept in the address.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "../../components/basics";
import { CALLBACK_TYPES, KINDS, LABELS, LAST_OUTCOMES, PAUSED, STATUSES, type FilterName } from "../../lib/filter";
import { forField, HERE, timeOf } from "../../lib/time";
import { query, setQuery } from "../../state/router";

const TYPING_MS = 300;

/** Returns a text of the address, and a function that changes it. The address follows when the user stops typing for a moment. */
function useTyped(name: string): [string, (value: string) => void] {
  const inAddress = query.value.get(name) ?? "";
  const [text, setText] = useState(inAddress);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setText(inAddress), [inAddress]);
  const change = (value: string) => {
    setText(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setQuery({ [name]: value }), TYPING_MS);
  };
  return [text, change];
}

export function FilterText({ name, label, isSearch = false }: { name: string; label: string; isSearch?: boolean }) {
  const [text, change] = useTyped(name);
  return (
    <label class={isSearch ? "filter search" : "filter"}>
      <span>{label}</span>
      <input type={(isSearch ? "search" : "text") as "search"} value={text} autocomplete="off" spellcheck={false} onInput={(event) => change(event.currentTarget.value)} />
    </label>
  );
}

export function FilterChoice({ name, label, options }: { name: string; label: string; options: readonly string[] }) {
  const value = query.value.get(name) ?? "";
  return (
    <label class="filter">
      <span>{label}</span>
      <select value={value} onChange={(event) => setQuery({ [name]: event.currentTarget.value })}>
        <option value="">any</option>
        {options.map((option) => (
          <option key={option} value={option} selected={option === value}>
            {option}
          </option>
        ))}
      </select>
    </label>
  );
}

export function FilterTime({ name, label }: { name: "from" | "to"; label: string }) {
  const inAddress = timeOf(query.value.get(name) ?? "");
  return (
    <label class="filter">
      <span>
        {label} ({HERE})
      </span>
      <input
        type="datetime-local"
        value={inAddress === undefined ? "" : forField(inAddress)}
        onChange={(event) => {
          const { value } = event.currentTarget;
          // While somebody types a year, the field has years such as 0020.
          if (value.startsWith("0")) return;
          setQuery({ [name]: value === "" ? undefined : new Date(value).toISOString() });
        }}
      />
    </label>
  );
}

const NAMES = Object.keys(LABELS) as FilterName[];
const MORE: readonly FilterName[] = ["kind", "callbackType", "callbackHost", "lastOutcome", "error", "paused", "from", "to"];

/** The filters of tasks. A list of dead letters omits those that do not apply to it. */
export function TaskFilters({ without = [], children }: { without?: readonly FilterName[]; children?: ComponentChildren }) {
  const isUsed = (name: FilterName) => query.value.has(name) && !without.includes(name);
  const [isOpen, setOpen] = useState(MORE.some(isUsed));
  return (
    <search class="filters" aria-label="Filters">
      <FilterText name="text" label={LABELS.text} isSearch />
      <FilterText name="prefix" label={LABELS.prefix} />
      <FilterText name="tag" label={LABELS.tag} />
      {!without.includes("status") && <FilterChoice name="status" label={LABELS.status} options={STATUSES} />}
      {isOpen && (
        <>
          <FilterChoice name="kind" label={LABELS.kind} options={KINDS} />
          <FilterChoice name="callbackType" label={LABELS.callbackType} options={CALLBACK_TYPES} />
          <FilterText name="callbackHost" label={LABELS.callbackHost} />
          {!without.includes("lastOutcome") && <FilterChoice name="lastOutcome" label={LABELS.lastOutcome} options={LAST_OUTCOMES} />}
          <FilterText name="error" label={LABELS.error} />
          {!without.includes("paused") && <FilterChoice name="paused" label={LABELS.paused} options={PAUSED} />}
          <FilterTime name="from" label={LABELS.from} />
          <FilterTime name="to" label={LABELS.to} />
        </>
      )}
      {children}
      <div class="filter-actions">
        {!isOpen && (
          <Button kind="quiet" onClick={() => setOpen(true)}>
            More filters
          </Button>
        )}
        {NAMES.some(isUsed) && (
          <Button kind="quiet" onClick={() => setQuery(Object.fromEntries(NAMES.map((name) => [name, undefined])))}>
            Clear
          </Button>
        )}
      </div>
    </search>
  );
}
