// What the rules of axe find wrong with a page.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../../scripts/paths.mjs";

const SCRIPT = await readFile(join(ROOT, "e2e/browser/node_modules/axe-core/axe.min.js"), "utf8");

/** Returns what is wrong, each with the elements at fault. */
export async function violations(page) {
  // Over the debugging protocol, which the page's Content-Security-Policy does not bind.
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(SCRIPT);
  const { violations: found } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 120)}: ${failureSummary.split("\n").at(1)}`).join("; ")}`);
}
