// One calendar: its items, and the tasks that could not follow its last change.

import { Fragment } from "preact";
import { useState } from "preact/hooks";
import { getCalendar } from "../../api/calendars";
import { ApiError } from "../../api/client";
import type { Calendar as CalendarBody } from "../../api/types";
import { Button, Copy, Empty, ErrorNote, Link, LinkButton, Loading, PageHead, Tag, Time } from "../../components/basics";
import { ActionDialog } from "../../components/dialog";
import { ITEM_LABELS, ITEMS, itemsOf } from "../../lib/items";
import { whole } from "../../lib/numbers";
import { ASKS_ONE, usePoll } from "../../state/live";
import { tell } from "../../state/notices";
import { go, pageWith, taskPath } from "../../state/router";
import { mayWrite, namespace } from "../../state/session";
import { REMOVAL, Usage, useUsers } from "../calendars";
import { CalendarDialog } from "./editor";

const EVERY_MS = 3_000;

export function Calendar({ name }: { name: string }) {
  const { value, error, refresh } = usePoll(async (signal) => (await getCalendar(name, signal)).body, [name, namespace.value], { everyMs: ({ pending }) => (pending ? EVERY_MS : 0), ...ASKS_ONE });
  if (error instanceof ApiError && error.is("no-calendar")) {
    return (
      <div class="page">
        <PageHead title={name} />
        <Empty title="There is no such calendar" action={<LinkButton to="/calendars">All calendars</LinkButton>}>
          It was never created in this namespace, or somebody has deleted it.
        </Empty>
      </div>
    );
  }
  if (!value) {
    return (
      <div class="page">
        <PageHead title={name} />
        {error ? <ErrorNote error={error} onRetry={refresh} /> : <Loading />}
      </div>
    );
  }
  return (
    <div class="page">
      <PageHead title={name} beside={<Copy text={name} label="Copy name" />} about={`Calendar${value.description === undefined ? "" : `: ${value.description}`}`}>
        {mayWrite.value && <Actions calendar={value} onChanged={refresh} />}
      </PageHead>
      {error && <ErrorNote error={error} onRetry={refresh} />}
      <div class="halves">
        <Items calendar={value} />
        <Tasks calendar={value} />
      </div>
    </div>
  );
}

function Actions({ calendar, onChanged }: { calendar: CalendarBody; onChanged: () => void }) {
  const [asked, setAsked] = useState<"change" | "delete">();
  const close = () => setAsked(undefined);
  return (
    <>
      <LinkButton to={pageWith("/create", { calendar: calendar.name })}>Create a task that leaves it out</LinkButton>
      <Button onClick={() => setAsked("change")}>Change</Button>
      <Button onClick={() => setAsked("delete")}>Delete</Button>
      {asked === "change" && <CalendarDialog name={calendar.name} onClose={close} onDone={onChanged} />}
      {asked === "delete" && (
        <ActionDialog
          title={`Delete ${REMOVAL.what(calendar)}`}
          verb="Delete"
          isDanger
          onClose={close}
          onAct={async () => {
            tell(await REMOVAL.act(calendar), { page: "/calendars" });
            go("/calendars");
          }}
        >
          <p>{REMOVAL.effect}</p>
        </ActionDialog>
      )}
    </>
  );
}

function Items({ calendar }: { calendar: CalendarBody }) {
  const items = itemsOf(calendar);
  return (
    <section class="panel" aria-labelledby="items">
      <div class="panel-head">
        <h2 id="items">What it leaves out</h2>
        <Copy text={JSON.stringify(items, null, 2)} label="Copy as JSON" />
      </div>
      <dl class="facts">
        {ITEMS.filter((name) => items[name]).map((name) => (
          <Fragment key={name}>
            <dt>{ITEM_LABELS[name]}</dt>
            <dd>
              <List label={ITEM_LABELS[name]} items={items[name] ?? []} />
            </dd>
          </Fragment>
        ))}
      </dl>
      <p class="muted small">On the clock of each task. A date without a year is a day of every year.</p>
    </section>
  );
}

/** The most items of a list that are shown at first. */
const MAX_SHOWN = 30;

function List({ label, items }: { label: string; items: readonly string[] }) {
  const [isWhole, setIsWhole] = useState(false);
  const shown = isWhole ? items : items.slice(0, MAX_SHOWN);
  return (
    <>
      <ul class="items" aria-label={label}>
        {shown.map((item) => (
          <li key={item}>
            <Tag>{item}</Tag>
          </li>
        ))}
      </ul>
      {items.length > MAX_SHOWN && (
        <Button kind="quiet" class="more" aria-expanded={isWhole} onClick={() => setIsWhole(!isWhole)}>
          {isWhole ? `Show the first ${MAX_SHOWN}` : `Show all ${whole(items.length)}`}
        </Button>
      )}
    </>
  );
}

/** The tasks of a calendar that are named. */
const MAX_NAMED = 10;

function Tasks({ calendar }: { calendar: CalendarBody }) {
  const users = useUsers([calendar]);
  const ids = users?.of.get(calendar.name) ?? [];
  return (
    <section class="panel" aria-labelledby="tasks">
      <div class="panel-head">
        <h2 id="tasks">Its tasks</h2>
      </div>
      <dl class="facts">
        <dt>Tasks</dt>
        <dd>
          <span role="status">
            <Usage of={calendar} users={users} />
          </span>
          {ids.length > 0 && (
            <ul class="items links" aria-label="Tasks that name it">
              {ids.slice(0, MAX_NAMED).map((id) => (
                <li key={id}>
                  <Link to={taskPath(id)}>{id}</Link>
                </li>
              ))}
              {ids.length > MAX_NAMED && <li class="muted">and {whole(ids.length - MAX_NAMED)} more</li>}
            </ul>
          )}
        </dd>
        <dt>Changed</dt>
        <dd>
          <Time at={calendar.updatedAt} />
        </dd>
        <dt>Created</dt>
        <dd>
          <Time at={calendar.createdAt} />
        </dd>
      </dl>
      {calendar.failures && calendar.failures.length > 0 && (
        <>
          <h3>They keep the former items</h3>
          <ul class="reasons" aria-label="Tasks that keep the former items">
            {calendar.failures.map(({ id, detail }) => (
              <li key={id}>
                <Link to={taskPath(id)}>{id}</Link>
                <span>{detail}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      {users && !users.isWhole && <p class="muted small">This page has looked at the 5,000 recurring tasks that fire next. There are more.</p>}
    </section>
  );
}
