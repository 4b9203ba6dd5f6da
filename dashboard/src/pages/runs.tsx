// The attempts at all tasks: a list, groups of similar errors, or events as they happen.

import { listRuns, type RunFilter } from "../api/runs";
import type { Run } from "../api/types";
import { Badge, Button, Empty, Link, openRow, PageHead, Segments, Time } from "../components/basics";
import { ListFoot } from "../components/list-foot";
import { useCursorList } from "../components/use-cursor-list";
import { VirtualList } from "../components/virtual-list";
import { explained } from "../lib/errors";
import { apiTime, OUTCOMES } from "../lib/filter";
import { readTags } from "../lib/tags";
import { HERE, duration } from "../lib/time";
import { keepPlaceOfList } from "../state/entries";
import { query, setQuery, taskPath } from "../state/router";
import { useState } from "preact/hooks";
import { AttemptDialog } from "./runs/attempt-dialog";
import { Events } from "./runs/events";
import { ErrorGroups } from "./runs/groups";
import { FilterChoice, FilterText, FilterTime } from "./tasks/filters";

const NAMES = ["outcome", "target", "tag", "prefix", "error", "from", "to"] as const;
/** The filters that are shown only if they are used or asked for. */
const MORE = ["target", "error", "from", "to"] as const;
const COLUMNS = "200px minmax(140px, 1.5fr) 112px 56px 48px minmax(120px, 1fr) 72px minmax(140px, 2fr)";
const PAGE = 100;

type View = "list" | "groups" | "events";

const ABOUT: Readonly<Record<View, string>> = {
  list: "Each row is one attempt. The history goes back 30 days at most.",
  groups: "Each row stands for all attempts whose errors differ only in numbers and ids, and shows the newest of these errors.",
  events: "What happens to tasks, as it happens.",
};

/** Reads the tag of a filter, with or without the quotes that a tag with a comma has in other lists. */
function tagOf(text: string): string {
  const [tag = "", ...others] = readTags(text).filter(Boolean);
  return others.length === 0 ? tag : text;
}

function filterOfRuns(parameters: URLSearchParams): RunFilter {
  const valueOf = (name: (typeof NAMES)[number]) => {
    const given = parameters.get(name) ?? "";
    return name === "from" || name === "to" ? apiTime(given) : name === "tag" ? tagOf(given) : given;
  };
  return Object.fromEntries(NAMES.map((name) => [name, valueOf(name)]).filter(([, value]) => value)) as RunFilter;
}

export function Runs() {
  const view: View = query.value.get("group") === "error" ? "groups" : query.value.get("view") === "events" ? "events" : "list";
  const filter = filterOfRuns(query.value);
  const [round, setRound] = useState(0);
  const [isOpened, setOpen] = useState(false);
  // A filter of the address is always shown.
  const isOpen = isOpened || MORE.some((name) => query.value.has(name));
  const isFiltered = Object.keys(filter).length > 0;
  return (
    <div class={view === "list" ? "page fills" : "page"}>
      <PageHead title="Runs" about={ABOUT[view]}>
        <Segments
          label="Show as"
          value={view}
          options={[
            ["list", "List"],
            ["groups", "Errors"],
            ["events", "Live events"],
          ]}
          onChange={(to) => setQuery({ group: to === "groups" ? "error" : undefined, view: to === "events" ? "events" : undefined })}
        />
        {view !== "events" && <Button onClick={() => (keepPlaceOfList({ top: 0 }), setRound(round + 1))}>Read again</Button>}
      </PageHead>
      {view !== "events" && (
        <search class="filters" aria-label="Filters">
          <FilterText name="prefix" label="Id begins with" isSearch />
          <FilterChoice name="outcome" label="Outcome" options={OUTCOMES} />
          <FilterText name="tag" label="Tag" />
          {isOpen && (
            <>
              <FilterText name="target" label="Target" />
              <FilterText name="error" label="Error contains" />
              <FilterTime name="from" label="From" />
              <FilterTime name="to" label="Before" />
            </>
          )}
          <div class="filter-actions">
            {!isOpen && (
              <Button kind="quiet" onClick={() => setOpen(true)}>
                More filters
              </Button>
            )}
            {isFiltered && (
              <Button kind="quiet" onClick={() => setQuery(Object.fromEntries(NAMES.map((name) => [name, undefined])))}>
                Clear
              </Button>
            )}
          </div>
        </search>
      )}
      {view === "events" ? <Events /> : view === "groups" ? <ErrorGroups key={`${query.value} ${round}`} filter={filter} /> : <RunList key={`${query.value} ${round}`} filter={filter} isFiltered={isFiltered} />}
    </div>
  );
}

function RunList({ filter, isFiltered }: { filter: RunFilter; isFiltered: boolean }) {
  const [back, setBack] = useState<number>();
  /** The attempt whose error is shown. */
  const [shown, setShown] = useState<Run>();
  const list = useCursorList<Run>(async (cursor, signal) => {
    const page = await listRuns(filter, { limit: PAGE, cursor }, signal);
    setBack(page.lookedBackTo);
    return { items: page.runs ?? [], cursor: page.cursor };
  }, []);
  if (list.isComplete && list.length === 0) {
    return (
      <Empty title={isFiltered ? "No attempt matches" : "Nothing has run yet"}>
        {isFiltered
          ? "An attempt must meet all filters. The history is kept for 30 days at most, and may be limited to failures or turned off by the setting HISTORY."
          : "Each attempt at a task appears here when it has ended, with its outcome, how long it took, and its error."}
      </Empty>
    );
  }
  return (
    <>
      <VirtualList
        label="Runs"
        columns={COLUMNS}
        length={list.length}
        onRange={(from, to) => list.show(from, to)}
        head={["Reported", "Task", "Outcome", "Attempt", "HTTP", "Called", "Took", "Error"].map((name) => (
          <span role="columnheader" key={name}>
            {name === "Reported" ? `Reported (${HERE})` : name}
          </span>
        ))}
        rowProps={(index) => {
          const run = list.at(index);
          return run?.id === undefined ? {} : { onClick: (event) => openRow(event, taskPath(run.id ?? "")) };
        }}
        row={(index) => <Row run={list.at(index)} onShow={setShown} />}
      />
      {shown && <AttemptDialog run={shown} onClose={() => setShown(undefined)} />}
      <ListFoot list={list} noun="attempt" />
      {back !== undefined && (
        <p class="muted small">
          Searched back to <Time at={back} />
        </p>
      )}
    </>
  );
}

function Row({ run, onShow }: { run: Run | undefined; onShow: (run: Run) => void }) {
  if (!run) return <span role="cell" class="muted">Reading…</span>;
  return (
    <>
      <span role="cell">
        <Time at={run.reportedAt} isBare />
      </span>
      <span role="cell" class="clip strong">
        <Link to={taskPath(run.id ?? "")}>{run.id ?? "–"}</Link>
      </span>
      <span role="cell">
        <Badge value={run.outcome} />
      </span>
      <span role="cell" class="muted">
        {run.attempt ?? ""} {run.stage ?? ""}
      </span>
      <span role="cell" class="muted">
        {run.status ?? ""}
      </span>
      <span role="cell" class="clip muted" title={run.target}>
        {run.target ?? ""}
      </span>
      <span role="cell" class="muted">
        {run.startedAt !== undefined && run.finishedAt !== undefined ? duration(run.finishedAt - run.startedAt) : ""}
      </span>
      <span role="cell" class="clip muted">
        {run.error !== undefined && (
          <button type="button" class="as-text clip" title="Show the whole error" onClick={() => onShow(run)}>
            {explained(run.error)}
          </button>
        )}
      </span>
    </>
  );
}
