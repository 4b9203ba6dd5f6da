// Every page of the dashboard with the sample, and what is there when it is ready.

const text = (what) => (page) => page.getByText(what).first().waitFor();
const heading = (name) => (page) => page.getByRole("heading", { name }).first().waitFor();

const runsToCome = (page) => page.getByRole("list", { name: "Next runs" }).waitFor();

export const PAGES = [
  { name: "sign-in", isSignedOut: true, ready: heading("Sign in") },
  { name: "tasks", address: "/tasks", ready: text("order-1042") },
  { name: "tasks-none", address: "/tasks?tag=nobody", ready: heading("No task matches") },
  { name: "task", address: "/tasks/report%3Adaily", ready: runsToCome },
  { name: "task-history", address: "/tasks/invoice-77", ready: text("attempt 3") },
  { name: "edit", address: "/tasks/report%3Adaily/edit", ready: runsToCome },
  { name: "create", address: "/create", ready: runsToCome },
];
