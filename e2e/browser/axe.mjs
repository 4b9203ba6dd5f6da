// Checks a page with the accessibility rules of axe.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../../scripts/paths.mjs";

const SCRIPT = await readFile(join(ROOT, "e2e/browser/node_modules/axe-core/axe.min.js"), "utf8");

/** Returns the violations, each with its elements. */
export async function violations(page) {
  // The script is loaded through the debugging protocol, to which the page's
  // Content-Security-Policy does not apply.
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(SCRIPT);
  const { violations: found } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 120)}: ${failureSummary.split("\n").at(1)}`).join("; ")}`);
}
