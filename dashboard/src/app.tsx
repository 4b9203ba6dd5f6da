import { useEffect, useRef } from "preact/hooks";
import { Empty, LinkButton, PageHead } from "./components/basics";
import { Palette } from "./components/palette";
import { Shell } from "./components/shell";
import { Create } from "./pages/create";
import { SignIn } from "./pages/sign-in";
import { Task } from "./pages/task";
import { EditTask } from "./pages/task/edit";
import { Tasks } from "./pages/tasks";
import { isSignedIn, namespace } from "./state/session";
import { parts, path, query } from "./state/router";

/** Returns the page of the address. */
function Page() {
  const [first, name, part] = parts.value;
  if (first === undefined) return <Tasks />;
  if (first === "tasks" && name === undefined) return <Tasks />;
  if (first === "tasks" && name !== undefined && part === undefined) return <Task id={name} />;
  if (first === "tasks" && name !== undefined && part === "edit") return <EditTask id={name} />;
  if (first === "create") return <Create key={query.value.toString()} />;
  return (
    <div class="page">
      <PageHead title="No such page" />
      <Empty title="There is no page at this address" action={<LinkButton to="/">Overview</LinkButton>}>
        The address may be misspelled.
      </Empty>
    </div>
  );
}

/** After a change of the page, names it in the title and lets screen readers begin with its heading. */
function useArrival(): void {
  const isFirst = useRef(true);
  useEffect(() => {
    const heading = document.querySelector<HTMLElement>("main h1");
    document.title = `${heading?.textContent ?? ""} · Scheduler`;
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
        <Page key={`${namespace.value} ${path.value}`} />
      </Shell>
      <Palette />
    </>
  );
}

export function App() {
  return isSignedIn.value ? <SignedIn /> : <SignIn />;
}
