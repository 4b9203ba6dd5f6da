// The last resort: shows what is wrong if the dashboard fails before it has shown anything, so that nobody sees a blank page.

/** Shows a message in place of the dashboard, unless the dashboard shows something. */
function show(problem: string): void {
  const root = document.getElementById("app");
  if (!root || root.childElementCount > 0) return;
  const main = document.createElement("main");
  main.className = "sign-in";
  const note = document.createElement("div");
  note.className = "note bad";
  note.setAttribute("role", "alert");
  for (const [name, text] of [
    ["h1", "The dashboard does not start"],
    ["p", `The browser says: ${problem}`],
    ["p", "Reload the page. If that does not help, use a current version of Chrome, Edge, Firefox or Safari. The scheduler itself runs on, and its API at /v1 works without the dashboard."],
  ] as const) {
    note.append(Object.assign(document.createElement(name), { textContent: text }));
  }
  main.append(note);
  root.append(main);
}

window.addEventListener("error", ({ message }) => show(message));
window.addEventListener("unhandledrejection", ({ reason }) => show(String(reason)));
