// Writes src/generated/openapi.ts: the types of coordinator/openapi.json by openapi-typescript.
// Run it through scripts/run after the document has changed. A test fails if it was forgotten.
//
// What openapi-typescript makes is one type with every schema inside. An editor shows such a type by all of its
// members, so each schema gets a declaration of its own here.

import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../../../", import.meta.url);
const DOCUMENT = new URL("coordinator/openapi.json", ROOT);
export const TARGET = new URL("../src/generated/openapi.ts", import.meta.url);

// Installed there because the generator needs TypeScript 5.
const require = createRequire(new URL("e2e/clients/package.json", ROOT));
const ts = require("typescript");
const { default: openapiTypescript, astToString } = require("openapi-typescript");

const HEADER = `// Made from coordinator/openapi.json by scripts/generate.mjs: do not edit.

/** A time in a request: a \`Date\`, milliseconds since 1970, or text in RFC 3339. Beside a \`timezone\`, the text may be a local time such as \`2030-12-24T18:00\`. */
export type Time = Date | number | string;

`;

/** Operations whose query parameters get an interface, and its name. */
const QUERIES = {
  listTasks: ["ListTasksQuery", "Parameters of a list of tasks. A task must meet all of them."],
  listRuns: ["ListRunsQuery", "Parameters of a list of the attempts at one task."],
  listAllRuns: ["ListAllRunsQuery", "Parameters of a list of the attempts at all tasks. An attempt must meet all of them."],
  listDeadLetters: ["ListDeadLettersQuery", "Parameters of a list of dead letters. A dead letter must meet all of them."],
  forecast: ["ForecastQuery", "Parameters of a forecast: a time, and into how many parts to divide it."],
  statsSeries: ["StatsSeriesQuery", "Parameters of statistics over time."],
  watchEvents: ["WatchEventsQuery", "Parameters of a stream of events. An event must meet all of them."],
};

/** Schemas that only requests hold. Their lists may be read-only ones. */
const REQUESTS = /^(New\w+|TaskPatch|Filter|Selection|ManyLetters|ParseInput|PreviewRequest|Reschedule\w*)$/;

/** Returns whether a schema is one of the forms of a time in a request. */
function isTime(schema) {
  if (schema.type === "integer") return schema.minimum >= 1e11;
  return schema.type === "string" && (schema.format === "date-time" || /^RFC 3339/.test(schema.description ?? ""));
}

/** Returns a copy of the document in which times are named, and members that requests may hold but that do nothing are left out. */
function prepare(value) {
  if (Array.isArray(value)) return value.map(prepare);
  if (typeof value !== "object" || value === null) return value;
  const copy = {};
  for (const [name, member] of Object.entries(value)) copy[name] = prepare(member);
  if (copy.properties) {
    for (const [name, schema] of Object.entries(copy.properties)) {
      if (schema.readOnly === true) delete copy.properties[name];
    }
  }
  if (copy.anyOf?.some(isTime)) {
    copy.anyOf = [{ $ref: "#/components/schemas/Time" }, ...copy.anyOf.filter((schema) => !isTime(schema))];
  }
  return copy;
}

/** Returns the member of a type literal or an interface by its name. */
function member(node, name) {
  const found = node.members.find((candidate) => candidate.name?.text === name);
  if (!found) throw new Error(`the generator made no ${name}`);
  return found;
}

/** Returns the types of a union, or the only type. */
function partsOf(type) {
  return ts.isUnionTypeNode(type) ? type.types : [type];
}

/** Returns a node whose lists are read-only. */
function readonly(node) {
  const visit = (child) => {
    const visited = ts.visitEachChild(child, visit, undefined);
    return ts.isArrayTypeNode(visited) ? ts.factory.createTypeOperatorNode(ts.SyntaxKind.ReadonlyKeyword, visited) : visited;
  };
  return visit(node);
}

/** Returns a node in which schemas are referred to by name, and an optional member may also be undefined. */
function flatten(node) {
  const { factory } = ts;
  const visit = (child) => {
    const visited = ts.visitEachChild(child, visit, undefined);
    if (ts.isIndexedAccessTypeNode(visited)) {
      const inner = visited.objectType;
      if (ts.isIndexedAccessTypeNode(inner) && inner.objectType.typeName?.text === "components" && inner.indexType.literal.text === "schemas") {
        return factory.createTypeReferenceNode(visited.indexType.literal.text);
      }
    }
    if (ts.isPropertySignature(visited) && visited.questionToken && visited.type.kind !== ts.SyntaxKind.UnknownKeyword) {
      const type = factory.createUnionTypeNode([...partsOf(visited.type), factory.createKeywordTypeNode(ts.SyntaxKind.UndefinedKeyword)]);
      return factory.updatePropertySignature(visited, visited.modifiers, visited.name, visited.questionToken, type);
    }
    return visited;
  };
  return visit(node);
}

/** Returns the declaration of a type: an interface if it is an object, which an editor then shows by its name. */
function declare(name, type, comment) {
  const modifiers = [ts.factory.createModifier(ts.SyntaxKind.ExportKeyword)];
  const node = ts.isTypeLiteralNode(type)
    ? ts.factory.createInterfaceDeclaration(modifiers, name, undefined, undefined, type.members)
    : ts.factory.createTypeAliasDeclaration(modifiers, name, undefined, type);
  if (comment) ts.addSyntheticLeadingComment(node, ts.SyntaxKind.MultiLineCommentTrivia, comment, true);
  return node;
}

/** Returns the text with documentation as an editor shows it best: without tags that repeat the type. */
function tidy(text) {
  return text
    .replace(/^ *\/\*\* @constant \*\/\n|^ *\/\*\* @enum .* \*\/\n|^ *\* (@enum .*|@constant|Format: .*)\n/gm, "")
    .replace(/^( *\*) {5}/gm, "$1 ")
    .replaceAll("@description ", "")
    .replace(/\/\*\*\n *\* ([^\n]*)\n *\*\//g, "/** $1 */")
    .replace(/^( {4})+/gm, (indent) => indent.slice(indent.length / 2));
}

/** Returns the text of src/generated/openapi.ts. */
export async function generate() {
  const document = prepare(JSON.parse(await readFile(DOCUMENT, "utf8")));
  const { schemas, responses } = document.components;
  schemas.Time = { type: "string" };
  const nodes = (await openapiTypescript(document, { silent: true })).map(flatten);
  const named = (name) => nodes.find((node) => node.name?.text === name);

  const declarations = [];
  for (const { name, type } of member(named("components"), "schemas").type.members) {
    if (name.text === "Time") continue;
    const { description } = schemas[name.text];
    const shown = REQUESTS.test(name.text) ? readonly(type) : type;
    declarations.push(declare(name.text, shown, description && `*\n * ${description.replaceAll("\n", "\n * ")}\n `));
  }
  for (const [operation, [name, comment]] of Object.entries(QUERIES)) {
    const parameters = member(member(named("operations"), operation).type, "parameters").type;
    declarations.push(declare(name, readonly(partsOf(member(parameters, "query").type)[0]), `* ${comment} `));
  }
  // A response is named after the problems that it may hold.
  const problems = [...new Set(Object.keys(responses).flatMap((name) => name.split(".")))].sort();
  const union = problems.map((name) => `\n  | "/problems/${name}"`).join("");
  const comment = "/** Every type of problem: see `GET /problems/{id}` for what it means and what to do. */";
  return `${HEADER}${declarations.map((node) => tidy(astToString(node))).join("\n")}\n${comment}\nexport type KnownProblemType =${union};\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(TARGET, await generate());
