// node examples/reminders/main.mjs: see README.md.

import { startReceiver } from "./receiver.mjs";
import { Reminders } from "./reminders.mjs";

const USAGE = `Usage:
  main.mjs receive                              print reminders as they come due
  main.mjs add USER ZONE TIME TEXT              once: main.mjs add maria Europe/Berlin 2030-12-24T18:00 "Call grandma"
  main.mjs repeat USER ZONE CRON TEXT           again and again: main.mjs repeat maria Europe/Berlin "0 8 * * MON-FRI" "Stand-up"
  main.mjs list USER
  main.mjs time ID TIME                         another time
  main.mjs text ID TEXT                         another text
  main.mjs move USER ZONE                       the user has moved
  main.mjs cancel ID
Environment: SCHEDULER_URL (http://localhost:8787), SCHEDULER_KEY, RECEIVER_URL (http://localhost:3000)`;

const { SCHEDULER_URL = "http://localhost:8787", SCHEDULER_KEY = "", RECEIVER_URL = "http://localhost:3000" } = process.env;
const reminders = new Reminders({ url: SCHEDULER_URL, key: SCHEDULER_KEY, receiver: RECEIVER_URL });

const print = (reminder) => console.log(JSON.stringify(reminder));

const commands = {
  async receive() {
    const remind = ({ user, text }) => console.log(`${user}: ${text}`);
    const port = Number(new URL(RECEIVER_URL).port);
    const { url } = await startReceiver({ port, remind }).catch((error) => {
      if (error.code !== "EADDRINUSE") throw error;
      throw new Error(`something listens on port ${port} already: end it, or give another RECEIVER_URL to each command`);
    });
    console.log(`listening on ${url}`);
  },
  add: async (user, zone, time, text) => print(await reminders.once({ user, zone, time, text })),
  repeat: async (user, zone, cron, text) => print(await reminders.recurring({ user, zone, cron, text })),
  list: async (user) => (await reminders.list(user)).forEach(print),
  time: async (id, time) => print(await reminders.change(id, { time })),
  text: async (id, text) => print(await reminders.change(id, { text })),
  move: async (user, zone) => reminders.move(user, zone),
  cancel: async (id) => console.log((await reminders.cancel(id)) ? "cancelled" : "there is no such reminder"),
};

const [command, ...args] = process.argv.slice(2);
if (!Object.hasOwn(commands, command ?? "") || args.length !== commands[command].length) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  await commands[command](...args).catch((error) => {
    console.error(`${error.field ?? error.status ?? "error"}: ${error.message}`);
    process.exitCode = 1;
  });
}
