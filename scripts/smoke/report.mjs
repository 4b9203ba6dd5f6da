// Writes what a run has measured as a document.

/** Returns a table. Cells are texts or numbers; one that is undefined is a dash. */
const table = (head, rows) => [`| ${head.join(" | ")} |`, `|${head.map(() => "---|").join("")}`, ...rows.map((row) => `| ${row.map((cell) => cell ?? "–").join(" | ")} |`)];

const millis = (figures, ...names) => figures && names.map((name) => figures[name]).join(" / ");

function placementText({ place, shards }) {
  const rows = shards.map(({ shard, colo, millis }) => [shard, colo, millis]);
  return [
    `The Worker that answered runs in ${place.colo ?? "an unknown place"}. The time includes the shard's own question to the network.`,
    "",
    ...table(["shard", "data center", "ms"], rows),
  ];
}

function loadsText(loads) {
  const rows = loads.map(([name, load]) => [
    name,
    load.accepted,
    load.acceptedPerSecond,
    millis(load.requestMillis, "p50", "p99"),
    load.received,
    millis(load.atWebhook, "p50", "p99", "max"),
    millis(load.atShard, "p50", "p99", "max"),
    load.defects,
    load.repeated,
    Object.entries(load.outcomes).map(([outcome, count]) => `${outcome}: ${count}`).join(", "),
  ]);
  const head = ["load", "created", "created a second", "request ms, p50 / p99", "received", "webhooks late ms, p50 / p99 / max", "shards late ms, p50 / p99 / max", "lost or wrong", "repeated", "requests"];
  return ["Requests come from the machine that ran the test, so their times have the way there and back.", "", ...table(head, rows)];
}

const largeText = ({ tasks, batchMillis, listMillis, pages, cancelMillis }) => [
  `A batch of ${tasks} tasks took ${batchMillis} ms, its list in ${pages} pages ${listMillis} ms, and its cancellation by filter ${cancelMillis} ms.`,
];

const redeployText = ({ uploadMillis, newAfterMillis }) => [`The upload took ${uploadMillis} ms, and the new version answered ${newAfterMillis} ms after its beginning.`];

const panicText = ({ tasks, silentMillis, byItself }) => [
  `${tasks} tasks ran every second. The longest pause between two runs of a task was ${silentMillis.p50} ms in the median, and ${silentMillis.max} ms at most.${byItself ? "" : " Some shards fired again only after they were asked."}`,
];

const NAMES = { rowsWritten: "rows written", rowsRead: "rows read", objectRequests: "requests to shards, with alarms", queueOperations: "queue operations" };

function meterText({ compared, others }) {
  const { workerRequests, workerErrors, cpuMillis, objectGbSeconds } = others;
  return [
    ...table(["unit", "our meter", "the platform"], compared.map(({ name, ours, platform }) => [NAMES[name], ours, platform])),
    "",
    `Besides, the platform counted ${workerRequests} requests to the Worker, ${workerErrors} of them with an error, ${cpuMillis} ms of CPU, and ${objectGbSeconds} GB-seconds of shards.`,
  ];
}

const SECTIONS = [
  ["placement", "Where the shards live", placementText],
  ["large batch and list", "Large requests", largeText],
  ["redeploy under load", "A deploy under load", redeployText],
  ["panic", "A panic", panicText],
  ["meter", "Our meter and the platform's figures", meterText],
];
const LOADS = ["sparse", "steady", "herd", "redeploy under load"];

/** Returns the document about a run. `results` has the values of the measures by name, and only those that have ended. */
export function reportText({ run, startedAt, seconds, scale, results, faults, notes, commit }) {
  const place = results.placement?.place;
  const loads = LOADS.filter((name) => results[name]).map((name) => [name, results[name]]);
  const sections = SECTIONS.filter(([name]) => results[name]).map(([name, title, text]) => [title, text(results[name])]);
  if (loads.length > 0) sections.splice(results.placement ? 1 : 0, 0, ["Loads", loadsText(loads)]);
  const list = (title, items) => (items.length === 0 ? [] : ["", `## ${title}`, ...items.map((item) => `- ${item}`)]);
  return [
    "# Measured on Cloudflare's network",
    "",
    `\`make smoke\` wrote this file on ${new Date(startedAt).toISOString().slice(0, 16).replace("T", " ")} UTC from ${place?.colo ?? "an unknown place"}${place?.country ? ` (${place.country})` : ""}, in ${seconds} s, at commit ${commit}, with the run ${run} at scale ${scale}.`,
    "What it does is in [docs/production.md](../docs/production.md#measure-it-on-your-account).",
    ...list("What was wrong", faults),
    ...list("Remarkable", notes),
    ...sections.flatMap(([title, lines]) => ["", `## ${title}`, ...lines]),
    "",
  ].join("\n");
}
