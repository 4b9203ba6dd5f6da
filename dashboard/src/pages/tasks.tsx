// All tasks of the namespace: search, filters, and changes of many.

import { useState } from "preact/hooks";
import { listTasks, isEmptyFilter, type TaskFilter } from "../api/tasks";
import type { Task } from "../api/types";
import { Badge, Button, Empty, Link, LinkButton, openRow, PageHead, Time } from "../components/basics";
import { ListFoot } from "../components/list-foot";
import { useCommands } from "../components/palette";
import { Target } from "../components/target";
import { useCursorList } from "../components/use-cursor-list";
import { VirtualList } from "../components/virtual-list";
import { filterOf } from "../lib/filter";
import { sentence } from "../lib/sentence";
import { writeTag } from "../lib/tags";
import { HERE, millisOf } from "../lib/time";
import { selection } from "../state/entries";
import { go, pageWith, query, setQuery, taskPath } from "../state/router";
import { mayWrite } from "../state/session";
import { BulkBar } from "./tasks/bulk";
import { TaskFilters } from "./tasks/filters";
import { RowTags, TagsDialog } from "./tasks/tags";

/** The size of the first page. It is small so that it loads fast; later pages are larger. */
const FIRST_PAGE = 100;
const PAGE = 500;
const COLUMNS = "28px minmax(140px, 2fr) 118px minmax(190px, 226px) minmax(140px, 1.6fr) minmax(140px, 1.6fr) minmax(80px, 0.8fr)";

/** Says what order the tasks have that have no due time; undefined for a list without such tasks. */
function orderNote(status: string | undefined, order: string | null): string | undefined {
  if (status === DEAD) return "Dead letters are in the order in which they failed.";
  if (status === "held" || status === "paused" || status === "unscheduled") return `What is ${status} has no due time, so this list is in no order of time.`;
  if (status !== undefined) return undefined;
  const [after, last] = order === "desc" ? ["before", "first"] : ["after", "last"];
  return `Dead letters are ${after} what is due. What is held, paused or unscheduled is ${last}, in no order of time.`;
}

/** Returns the address of a task, or of a dead letter with its id. */
const addressOf = (task: Task): string => (task.deadLetterId ? `/dead-letters/${encodeURIComponent(task.deadLetterId)}` : taskPath(task.id));

/** The status of tasks that failed for good. Their lists are in the order in which they failed. */
const DEAD = "dead-lettered";

/** The name of the column with the times of a list. */
const timeName = (status: string | undefined): string => (status === DEAD ? "Failed" : "Due");

/** Shows the time that a task waits for, or else the time at which it failed, which a list of what is due names. */
function TaskTime({ task, isOfDead }: { task: Task; isOfDead: boolean }) {
  if (task.status !== DEAD) return <Time at={task.due ?? millisOf(task.time)} isBare />;
  return (
    <>
      {!isOfDead && <span class="muted">failed </span>}
      <Time at={task.failedAt} isBare />
    </>
  );
}

/** Leads to the attempts at tasks that have ended, with the same filters as far as runs have them. */
function EndedNote({ filter }: { filter: TaskFilter }) {
  const [tag, another] = filter.tags ?? [];
  const to = pageWith("/runs", { prefix: filter.prefix, tag: tag === undefined || another !== undefined ? undefined : writeTag(tag) });
  return (
    <>
      Tasks that have ended are not in this list: their attempts are under <Link to={to}>Runs</Link>.
    </>
  );
}

function FirstTask() {
  return (
    <Empty
      title="No task waits or runs"
      action={
        mayWrite.value && (
          <>
            <LinkButton to="/create?example=hello" kind="main" icon="create">
              Open the form with an example that fires in five seconds
            </LinkButton>
            <LinkButton to="/create">Open an empty form</LinkButton>
          </>
        )
      }
    >
      A task says what to call (a webhook, a handler, a queue) and when: once or repeatedly. The scheduler calls it at that time, retries it if it fails, and records how it went.{" "}
      <EndedNote filter={{}} />
    </Empty>
  );
}

export function Tasks() {
  const filter = filterOf(query.value);
  const [round, setRound] = useState(0);
  const [chosen, setChosen] = selection();
  const [total, setTotal] = useState<number>();
  /** The task whose tags are shown. */
  const [tagged, setTagged] = useState<Task>();
  const list = useCursorList<Task>(
    async (cursor, signal) => {
      const page = await listTasks(filter, { limit: cursor === undefined ? FIRST_PAGE : PAGE, cursor, order: query.value.get("order") ?? undefined }, signal);
      if (cursor === undefined) setTotal(page.total);
      return { items: page.tasks, cursor: page.cursor, searched: page.searched };
    },
    [query.value.toString(), round],
  );
  const again = () => {
    setChosen(new Set());
    setRound(round + 1);
  };
  useCommands(
    [
      { title: "Read the list again", run: again },
      ...(["paused", "running", "retrying"] as const).map((status) => ({ title: `Show ${status} tasks`, run: () => go(pageWith("/tasks", { status })) })),
    ],
    [round],
  );

  const choose = (id: string, isChosen: boolean) => {
    const next = new Set(chosen);
    if (isChosen) next.add(id);
    else next.delete(id);
    setChosen(next);
  };
  const isEmpty = list.isComplete && list.length === 0;
  const exactly = filter.prefix && <Link to={taskPath(filter.prefix)}>Open the task with exactly this id</Link>;
  return (
    <div class="page fills">
      <PageHead title="Tasks">
        <Button onClick={again}>Read again</Button>
        {mayWrite.value && (
          <LinkButton to="/create" kind="main" icon="create">
            Create
          </LinkButton>
        )}
      </PageHead>
      <TaskFilters>
        <OrderChoice />
      </TaskFilters>
      {isEmpty && isEmptyFilter(filter) ? (
        <FirstTask />
      ) : isEmpty ? (
        <Empty title="No task matches" action={<Button onClick={() => setQuery(Object.fromEntries([...query.value.keys()].map((name) => [name, undefined])))}>Clear the filters</Button>}>
          A task must match all filters. <EndedNote filter={filter} /> {exactly}
        </Empty>
      ) : (
        <>
          {mayWrite.value && <BulkBar chosen={chosen} filter={filter} onDone={again} onClear={() => setChosen(new Set())} />}
          <VirtualList
            label="Tasks"
            columns={COLUMNS}
            length={list.length}
            onRange={(from, to) => list.show(from, to)}
            head={
              <>
                <span role="columnheader">
                  <span class="hidden">Selected</span>
                </span>
                <span role="columnheader">Id</span>
                <span role="columnheader">Status</span>
                <span role="columnheader">
                  {timeName(filter.status)} ({HERE})
                </span>
                <span role="columnheader">Schedule</span>
                <span role="columnheader">Calls</span>
                <span role="columnheader">Tags</span>
              </>
            }
            rowProps={(index) => {
              const task = list.at(index);
              return task ? { onClick: (event) => openRow(event, addressOf(task)) } : {};
            }}
            row={(index) => <Row task={list.at(index)} isChosen={chosen} onChoose={choose} onTags={setTagged} />}
          />
          {tagged && <TagsDialog id={tagged.id} tags={tagged.tags ?? []} onClose={() => setTagged(undefined)} />}
          <div class="row">
            <ListFoot list={list} noun="task" isDescending={query.value.get("order") === "desc"} total={isEmptyFilter(filter) ? total : undefined} />
            <span class="muted small">{orderNote(filter.status, query.value.get("order"))}</span>
            {list.isComplete && (
              <p class="muted small">
                <EndedNote filter={filter} />
              </p>
            )}
            <span class="small">{exactly}</span>
          </div>
        </>
      )}
    </div>
  );
}

/** A choice of the order of the list. */
function OrderChoice() {
  return (
    <label class="filter">
      <span>{timeName(query.value.get("status") ?? undefined)}</span>
      <select value={query.value.get("order") === "desc" ? "desc" : ""} onChange={(event) => setQuery({ order: event.currentTarget.value })}>
        <option value="">first to last</option>
        <option value="desc">last to first</option>
      </select>
    </label>
  );
}

interface RowProps {
  task: Task | undefined;
  isChosen: ReadonlySet<string>;
  onChoose: (id: string, isChosen: boolean) => void;
  /** Shows all tags of a task. */
  onTags: (task: Task) => void;
}

function Row({ task, isChosen, onChoose, onTags }: RowProps) {
  if (!task) return <span role="cell" class="muted">Reading…</span>;
  return (
    <>
      <span role="cell">
        {mayWrite.value && (
          <input type="checkbox" aria-label={`Select ${task.id}`} checked={isChosen.has(task.id)} onChange={(event) => onChoose(task.id, event.currentTarget.checked)} />
        )}
      </span>
      <span role="cell" class="clip strong">
        <Link to={addressOf(task)} title={task.description ?? task.id}>
          {task.id}
        </Link>
        {task.description && <span class="muted"> {task.description}</span>}
      </span>
      <span role="cell">
        <span title={task.pauseNote}>
          <Badge value={task.status} />
        </span>
      </span>
      <span role="cell" class="clip">
        <TaskTime task={task} isOfDead={query.value.get("status") === DEAD} />
      </span>
      <span role="cell" class="clip muted">
        {task.kind === "once" ? "Once" : sentence(task)}
      </span>
      <span role="cell" class="clip muted">
        <Target of={task.callback} />
      </span>
      <span role="cell">{task.tags && task.tags.length > 0 && <RowTags id={task.id} tags={task.tags} onShow={() => onTags(task)} />}</span>
    </>
  );
}
