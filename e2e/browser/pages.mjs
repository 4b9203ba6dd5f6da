// Every page of the dashboard with the sample, and the content that is visible when the page is
// ready.

const text = (what) => (page) => page.getByText(what).first().waitFor();
const heading = (name) => (page) => page.getByRole("heading", { name }).first().waitFor();
const runsToCome = (page) => page.getByRole("list", { name: "Next runs" }).waitFor();

/** Waits until all four charts are drawn. */
async function charts(page) {
  await page.locator(".chart canvas").nth(3).waitFor();
}

/** Opens a dialog with the button `name`. */
const dialogOf = (name) => async (page) => {
  await page.getByRole("button", { name, exact: true }).first().click();
  await page.getByRole("dialog").waitFor();
};

async function deadLetter(page) {
  await page.getByRole("link", { name: "order-900:charge" }).click();
  await page.getByRole("heading", { name: "What happened" }).waitFor();
}

async function palette(page) {
  await page.keyboard.press("Control+k");
  await page.getByRole("listbox", { name: "Commands" }).waitFor();
}

/** Types a sentence that the scheduler refuses, with sentences near it. */
async function words(page) {
  await page.getByRole("button", { name: "In words", exact: true }).click();
  await page.getByRole("textbox", { name: "In words" }).fill("every day at 9am except on holidays");
  await page.getByRole("group", { name: "Near it" }).waitFor();
}

export const PAGES = [
  { name: "sign-in", isSignedOut: true, ready: heading("Sign in") },
  { name: "overview", address: "/", ready: charts },
  { name: "tasks", address: "/tasks", ready: text("order-1042") },
  { name: "tasks-none", address: "/tasks?tag=nobody", ready: heading("No task matches") },
  { name: "tasks-dead", address: "/tasks?status=dead-lettered", ready: text("order-900:charge") },
  { name: "task", address: "/tasks/report%3Adaily", ready: runsToCome },
  { name: "task-history", address: "/tasks/invoice-77", ready: text("attempt 3") },
  { name: "edit", address: "/tasks/report%3Adaily/edit", ready: runsToCome },
  { name: "create", address: "/create", ready: runsToCome },
  { name: "create-words", address: "/create", ready: words },
  { name: "agenda", address: "/agenda?span=week&at=4000000000000", ready: heading("Recurring tasks") },
  { name: "agenda-day", address: "/agenda", ready: heading("Recurring tasks") },
  { name: "runs", address: "/runs", ready: (page) => page.locator(".grid-body .badge").first().waitFor() },
  { name: "runs-errors", address: "/runs?group=error", ready: text("has no customer") },
  { name: "runs-events", address: "/runs?view=events", ready: text("an hour for the 16 shards") },
  { name: "dead-letters", address: "/dead-letters", ready: text("has no customer") },
  { name: "limits", address: "/limits", ready: text("payments") },
  { name: "calendars", address: "/calendars", ready: text("office-closed") },
  { name: "calendar", address: "/calendars/de-holidays", ready: text("12-25/12-26") },
  { name: "dialog-calendar", address: "/calendars", ready: dialogOf("Create a calendar") },
  { name: "create-exclude", address: "/create?calendar=de-holidays", ready: (page) => page.getByLabel("office-closed").waitFor() },
  { name: "namespaces", address: "/namespaces", ready: text("100,000") },
  { name: "keys", address: "/keys", ready: text("the shop") },
  { name: "dead-letter", address: "/dead-letters", ready: deadLetter },
  { name: "palette", address: "/help", ready: palette },
  { name: "dialog-run", address: "/tasks/cleanup", ready: dialogOf("Run now") },
  { name: "dialog-cancel-all", address: "/tasks?tag=orders", ready: dialogOf("Cancel") },
  { name: "dialog-key", address: "/keys", ready: dialogOf("Create a key") },
  { name: "dialog-limit", address: "/limits", ready: dialogOf("Set a limit") },
  { name: "help", address: "/help", ready: heading("Everywhere") },
];
