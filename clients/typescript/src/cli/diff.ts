/** The lines before and after a change that are shown. */
const CONTEXT = 2;

/** Returns the lines that differ between two texts, after a `-` or a `+`, with some of the lines around them. */
export function diff(before: string, after: string): string {
  const changes = compare(before.split("\n"), after.split("\n"));
  const isNear = (at: number) => changes.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(({ sign }) => sign !== " ");
  const lines: string[] = [];
  changes.forEach(({ sign, line }, at) => {
    if (isNear(at)) lines.push(`${sign} ${line}`.trimEnd());
    else if (lines.at(-1) !== "  …") lines.push("  …");
  });
  return lines.join("\n");
}

interface Change {
  sign: " " | "-" | "+";
  line: string;
}

/** Compares lines by their longest common subsequence. */
function compare(before: readonly string[], after: readonly string[]): Change[] {
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  const at = (row: number, column: number) => lengths[row * width + column] ?? 0;
  for (let row = before.length - 1; row >= 0; row -= 1) {
    for (let column = after.length - 1; column >= 0; column -= 1) {
      lengths[row * width + column] = before[row] === after[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const changes: Change[] = [];
  let row = 0;
  let column = 0;
  while (row < before.length || column < after.length) {
    if (row < before.length && column < after.length && before[row] === after[column]) {
      changes.push({ sign: " ", line: before[row] ?? "" });
      row += 1;
      column += 1;
    } else if (row < before.length && (column === after.length || at(row + 1, column) >= at(row, column + 1))) {
      changes.push({ sign: "-", line: before[row] ?? "" });
      row += 1;
    } else {
      changes.push({ sign: "+", line: after[column] ?? "" });
      column += 1;
    }
  }
  return changes;
}
