import { PageHead } from "../components/basics";
import { PALETTE_KEYS, SUBMIT_KEYS } from "../lib/platform";
import { PAGES } from "./pages";

const KEYS: readonly (readonly [string, string])[] = [
  [PALETTE_KEYS, "open the command palette: every page, every action of the current page, and any task by its id"],
  ["g, then a letter", "open a page: see below"],
  ["c", "create a task"],
  ["/", "go to the search field of the page"],
  ["j, k", "go to the next or the previous row of a list, and to its first row to begin with; Enter opens a row, x selects it"],
  ["Tab, Enter, Space", "reach and use each button, link and row"],
  [SUBMIT_KEYS, "create the task of the form, or save it, from any of its fields"],
  ["Escape", "close a dialog"],
  ["?", "show this page"],
];

export function Help() {
  return (
    <div class="page">
      <PageHead title="Keyboard shortcuts" />
      <section class="panel" aria-labelledby="everywhere">
        <h2 id="everywhere">Everywhere</h2>
        <dl class="facts">
          {KEYS.map(([key, text]) => (
            <>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{text}</dd>
            </>
          ))}
        </dl>
      </section>
      <section class="panel" aria-labelledby="pages">
        <h2 id="pages">Pages</h2>
        <dl class="facts">
          {PAGES.filter((page) => page.isOffered.value).map((page) => (
            <>
              <dt>
                <kbd>g {page.shortcut}</kbd>
              </dt>
              <dd>{page.title}</dd>
            </>
          ))}
        </dl>
      </section>
      <p class="muted">
        The dashboard uses the HTTP API only. See <a href="/openapi.json">its OpenAPI document</a> and <a href="/problems">the list of its problems</a>.
      </p>
    </div>
  );
}
