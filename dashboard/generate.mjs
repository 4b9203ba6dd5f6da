// Writes generated/read-only.ts: the members of a task that the API shows and ignores in requests, as its document marks them.

import { mkdir, readFile, writeFile } from "node:fs/promises";

const document = JSON.parse(await readFile(new URL("../coordinator/openapi.json", import.meta.url), "utf8"));
const names = Object.entries(document.components.schemas)
  .filter(([name]) => /^New\w*Task/.test(name))
  .flatMap(([, { properties = {} }]) => Object.entries(properties).flatMap(([member, { readOnly }]) => (readOnly ? [member] : [])));
const sorted = [...new Set(names)].sort();
if (sorted.length === 0) throw new Error("coordinator/openapi.json marks no member of a task as readOnly");
await mkdir(new URL("generated/", import.meta.url), { recursive: true });
await writeFile(new URL("generated/read-only.ts", import.meta.url), `export const READ_ONLY: ReadonlySet<string> = new Set(${JSON.stringify(sorted)});\n`);
