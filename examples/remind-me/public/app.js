// The page of one person.

const $ = (id) => document.getElementById(id);
const form = $("form");

const key = location.hash.slice(1) || localStorage.getItem("person") || newKey();
localStorage.setItem("person", key);
history.replaceState(null, "", `#${key}`);

/** The zone of the person. */
let timezone;
/** The id of the reminder that the form changes; undefined for a new one. */
let changed;

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

async function call(method, path, body) {
  const response = await fetch(`/people/${key}/${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
  const answer = await response.json().catch(() => undefined);
  if (!response.ok && response.status !== 404) throw new Error(answer ? `${answer.field}: ${answer.detail}` : `The server answered ${response.status}.`);
  return answer;
}

/** Runs an action of the person, and says if it fails. */
async function act(action) {
  try {
    await action();
  } catch (error) {
    $("message").textContent = error.message;
  }
}

function element(name, text, properties = {}) {
  return Object.assign(document.createElement(name), { textContent: text, ...properties });
}

function timeOf(milliseconds) {
  if (milliseconds === undefined) return element("time", "");
  const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone: timezone }).format(milliseconds);
  return element("time", shown, { dateTime: new Date(milliseconds).toISOString() });
}

function show(person) {
  timezone = person.timezone;
  $("timezone").value = timezone;
  $("reminders").replaceChildren(
    ...person.reminders.map((reminder) => {
      const item = element("li");
      item.append(
        element("span", reminder.text),
        timeOf(reminder.next),
        element("button", "Change", { onclick: () => edit(reminder) }),
        element("button", "Cancel", { onclick: () => act(async () => { await call("DELETE", `reminders/${reminder.id}`); await load(); }) }),
      );
      return item;
    }),
  );
  $("arrived").replaceChildren(
    ...person.arrived.map(({ text, time }) => {
      const item = element("li");
      item.append(element("span", text), timeOf(time));
      return item;
    }),
  );
}

const load = async () => show(await call("GET", ""));

/** Lets the form change a reminder, or make a new one. */
function edit(reminder) {
  changed = reminder?.id;
  form.reset();
  if (reminder) for (const name of ["text", "at", "repeat"]) form.elements[name].value = reminder[name];
  $("save").textContent = reminder ? "Change" : "Remind me";
  $("keep").hidden = !reminder;
}

form.onsubmit = (event) => {
  event.preventDefault();
  act(async () => {
    const reminder = Object.fromEntries(new FormData(form));
    const saved = changed === undefined ? await call("POST", "reminders", reminder) : await call("PUT", `reminders/${changed}`, reminder);
    $("message").textContent = saved ? (saved.note ?? "") : "This reminder has come already.";
    edit();
    await load();
  });
};
$("keep").onclick = () => edit();
$("timezone").onchange = () => act(async () => show(await call("PUT", "timezone", { timezone: $("timezone").value })));

/** Follows what comes, also after the connection has ended. */
function follow() {
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/people/${key}/live`);
  // What has come in between is in the list.
  socket.onopen = () => act(load);
  socket.onmessage = ({ data }) => {
    $("message").textContent = `It is time: ${JSON.parse(data).text}`;
    act(load);
  };
  socket.onclose = () => setTimeout(follow, 3_000);
}

$("timezone").append(...["UTC", ...Intl.supportedValuesOf("timeZone")].map((name) => element("option", name)));
await act(async () => {
  const person = await call("GET", "");
  show(person.timezone === undefined ? await call("PUT", "timezone", { timezone: Intl.DateTimeFormat().resolvedOptions().timeZone }) : person);
});
follow();
