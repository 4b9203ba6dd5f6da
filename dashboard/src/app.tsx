import { useLayoutEffect, useRef } from "preact/hooks";
import { Empty, LinkButton, PageHead } from "./components/basics";
import { Boundary } from "./components/boundary";
import { IgnoredNote } from "./components/ignored-note";
import { Palette } from "./components/palette";
import { Shell } from "./components/shell";
import { Agenda } from "./pages/agenda";
import { Calendars } from "./pages/calendars";
import { Calendar } from "./pages/calendars/one";
import { Create } from "./pages/create";
import { DeadLetters } from "./pages/dead-letters";
import { DeadLetter } from "./pages/dead-letters/one";
import { Help } from "./pages/help";
import { Keys } from "./pages/keys";
import { Limits } from "./pages/limits";
import { Namespaces } from "./pages/namespaces";
import { Overview } from "./pages/overview";
import { Runs } from "./pages/runs";
import { PAGES } from "./pages/pages";
import { SignIn } from "./pages/sign-in";
import { Task } from "./pages/task";
import { EditTask } from "./pages/task/edit";
import { Tasks } from "./pages/tasks";
import { named } from "./lib/names";
import { isSignedIn, mayRead, mayWrite, namespace, scopes } from "./state/session";
import { parts, path, query } from "./state/router";

function NotOffered({ title }: { title: string }) {
  return (
    <div class="page">
      <PageHead title={title} />
      <Empty title="Your key may not use this page">
        Your key has these scopes: {scopes.value.join(", ") || "none"}. Sign in with a key that has more, or choose another page.
      </Empty>
    </div>
  );
}

/** Returns the page to begin with: the first that the key may use. */
const firstOffered = (): string => PAGES.find((page) => page.isOffered.value)?.path.slice(1) ?? "";

/** Returns the page of the address. */
function Page() {
  const [first = firstOffered(), name, part] = parts.value;
  if (first === "tasks" && name !== undefined && mayRead.value) {
    if (part !== "edit") return <Task id={name} />;
    return mayWrite.value ? <EditTask id={name} /> : <NotOffered title={`Edit ${named(name)}`} />;
  }
  if (first === "dead-letters" && name !== undefined && mayRead.value) return <DeadLetter id={name} />;
  if (first === "calendars" && name !== undefined && mayRead.value) return <Calendar name={name} />;
  // A page is offered only to keys that may use it. With another key, its address shows that.
  const entry = PAGES.find((page) => page.path === `/${first}`);
  if (entry && !entry.isOffered.value) return <NotOffered title={entry.title} />;
  switch (first) {
    case "":
      return <Overview />;
    case "tasks":
      return <Tasks />;
    case "agenda":
      return <Agenda />;
    case "runs":
      return <Runs />;
    case "dead-letters":
      return <DeadLetters />;
    case "limits":
      return <Limits />;
    case "calendars":
      return <Calendars />;
    case "namespaces":
      return <Namespaces />;
    case "keys":
      return <Keys />;
    case "create":
      return <Create key={query.value.toString()} />;
    case "help":
      return <Help />;
  }
  return (
    <div class="page">
      <PageHead title="No such page" />
      <Empty title="There is no page at this address" action={<LinkButton to="/">Overview</LinkButton>}>
        The address may be misspelled.
      </Empty>
    </div>
  );
}

/** After a change of the page, lets the keyboard and screen readers begin with its heading. */
function useArrival(): void {
  const isFirst = useRef(true);
  // Before anybody can press a key on the new page.
  useLayoutEffect(() => {
    const heading = document.querySelector<HTMLElement>("main h1");
    if (!isFirst.current) heading?.focus({ preventScroll: true });
    isFirst.current = false;
    document.querySelector("main")?.scrollTo(0, 0);
  }, [path.value]);
}

function SignedIn() {
  useArrival();
  return (
    <>
      <Shell>
        <IgnoredNote />
        {/* Another page is drawn afresh after an error. */}
        <Boundary key={`${namespace.value} ${path.value}`}>
          <Page />
        </Boundary>
      </Shell>
      <Palette />
    </>
  );
}

export function App() {
  return <Boundary>{isSignedIn.value ? <SignedIn /> : <SignIn />}</Boundary>;
}
