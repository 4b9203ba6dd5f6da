// What an editor shows: every name that the package exports, and every member of it that is not plain, has a comment.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ensureBuilt } from "./built.mjs";

const FOLDER = fileURLToPath(new URL("..", import.meta.url));
// The compiler's interface for programs, which TypeScript 7 does not have.
const ts = createRequire(new URL("../../../e2e/clients/package.json", import.meta.url))("typescript");

before(ensureBuilt);

/** Whether a declaration is one that this package has written. The API's document comments on what is generated from it. */
const isOurs = (declaration) => declaration.getSourceFile().fileName.startsWith(`${FOLDER}dist/`) && !declaration.getSourceFile().fileName.includes("/generated/");

/** Members whose name says all. */
const PLAIN = new Set(["env", "id", "items", "name", "task", "type", "[Symbol.asyncIterator]"]);
/** What a Worker gets from the platform, as far as the package uses it. */
const OF_PLATFORM = new Set(["D1DatabaseLike", "D1StatementLike", "QueueBatch", "QueueMessage", "SqlStorageLike"]);

/** Yields the names of a module that have no comment: its exports, and their members. */
function* undocumented(checker, module) {
  for (const exported of checker.getExportsOfModule(module)) {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const declarations = (symbol.declarations ?? []).filter(isOurs);
    if (declarations.length === 0) continue;
    if (symbol.getDocumentationComment(checker).length === 0) yield symbol.name;
    if (OF_PLATFORM.has(symbol.name)) continue;
    for (const declaration of declarations) {
      for (const member of declaration.members ?? []) {
        const isHidden = !member.name || ts.isPrivateIdentifier(member.name) || member.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);
        if (isHidden || PLAIN.has(member.name.getText())) continue;
        if (checker.getSymbolAtLocation(member.name).getDocumentationComment(checker).length === 0) yield `${symbol.name}.${member.name.getText()}`;
      }
    }
  }
}

test("every exported name, and every member of it that is not plain, has a comment", async () => {
  const { exports } = JSON.parse(await readFile(`${FOLDER}package.json`, "utf8"));
  const files = Object.values(exports).flatMap((targets) => JSON.stringify(targets).match(/\.\/dist\/[^"]+\.d\.ts/g) ?? []);
  const paths = [...new Set(files)].map((file) => `${FOLDER}${file.slice(2)}`);
  assert.ok(paths.length >= 4);
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, types: ["@cloudflare/workers-types"], lib: ["lib.es2024.d.ts"], skipLibCheck: true };
  const host = ts.createCompilerHost(options);
  host.getCurrentDirectory = () => FOLDER;
  const program = ts.createProgram(paths, options, host);
  const checker = program.getTypeChecker();
  const found = paths.flatMap((path) => [...undocumented(checker, checker.getSymbolAtLocation(program.getSourceFile(path)))]);
  assert.deepEqual([...new Set(found)].sort(), []);
});
