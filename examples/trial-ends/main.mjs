// node examples/trial-ends/main.mjs [TRIALS]: starts trials that end at once, lets some ends fail, reviews and repairs them. See README.md.

import { startReceiver } from "./receiver.mjs";
import { Trials } from "./trials.mjs";

const { SCHEDULER_URL = "http://localhost:8787", SCHEDULER_KEY = "" } = process.env;
const number = Number(process.argv[2] ?? 5_000);

const ended = new Set();
const tried = new Set();
let billingWorks = false;

const { url, close } = await startReceiver({
  async end(customer) {
    const n = Number(customer.slice("customer-".length));
    // One in a hundred is deleted, one in fifty needs the billing service, and one in ten works at the second attempt only.
    if (n % 100 === 7) throw Object.assign(new Error("no such customer"), { status: 404 });
    if (n % 50 === 3 && !billingWorks) throw new Error("billing does not answer");
    if (n % 10 === 1 && !tried.has(customer)) {
      tried.add(customer);
      throw new Error("try again");
    }
    ended.add(customer);
  },
});
const trials = new Trials({ url: SCHEDULER_URL, key: SCHEDULER_KEY, webhook: url });

const soon = new Date(Date.now() + 2_000);
const all = Array.from({ length: number }, (_, n) => ({ customer: `customer-${n}`, endsAt: soon }));
const refused = await trials.start(all);
console.log(`${number - refused.length} trials started, ${refused.length} refused`);

await rest();
console.log(`${ended.size} trials have ended`);
for (const { error, count, customers } of await trials.review()) console.log(`${count} failed: ${error} (${customers.join(", ")}, …)`);

billingWorks = true;
console.log(`billing works again: ${await trials.replay("billing does not answer")} are tried again`);
await rest();
console.log(`${ended.size} trials have ended`);
console.log(`${await trials.discard("no such customer")} are given up`);
console.log(`${(await trials.failed()).length} failed ends are left`);
close();

/** Waits until no trial of these customers is about to end. The scheduler may have other tasks. */
async function rest() {
  while (await trials.areOpen("customer-")) await new Promise((resolve) => setTimeout(resolve, 500));
}
