// The examples with schedules in the documents that the agents package brings, made into a Worker: each of them as an agent of the agents
// package, and as the same agent with schedules on the scheduler. The text of the examples is read from the package when the test runs.

import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const AGENTS = join(HERE, "node_modules/agents");
const FOLDER = join(HERE, ".published");

/** The calls that make a block of code an example. */
const CALL = /\bthis\.(schedule|scheduleEvery|getScheduleById|getSchedules?|listSchedules|cancelSchedule)\(/;

/**
 * Returns the examples: their `code`, and a `name` that consists of the document, the heading and, from the second example below one
 * heading on, a number.
 */
export async function readExamples() {
  const documents = ["README.md", ...(await readdir(join(AGENTS, "docs"), { recursive: true })).filter((name) => name.endsWith(".md")).sort().map((name) => `docs/${name}`)];
  const examples = [];
  for (const path of documents) {
    const text = await readFile(join(AGENTS, path), "utf8");
    const blocks = [...text.matchAll(/^(#{1,6}) (.*)$|^```(?:ts|typescript)\n([^]*?)^```$/gm)];
    let heading = "";
    for (const [at, block] of blocks.entries()) {
      heading = block[2] ?? heading;
      let code = block[3];
      if (code === undefined || !CALL.test(code)) continue;
      // A class that the document interrupts goes on in the next block.
      if (count(code, "{") > count(code, "}")) code += blocks.slice(at + 1).find((next) => next[3] !== undefined)[3];
      const name = `${path.replace("docs/", "")}: ${heading}`;
      const number = examples.filter((example) => example.name.replace(/ \d+$/, "") === name).length + 1;
      examples.push({ name: number === 1 ? name : `${name} ${number}`, code });
    }
  }
  return examples;
}

const count = (text, part) => text.split(part).length - 1;

/** Which `Agent` the two kinds of agents extend. */
const AGENT_OF = {
  own: 'export * from "agents";',
  moved: 'import { Agent as Base } from "agents";\nimport { withScheduler } from "durable-scheduler/agents";\nexport * from "agents";\nexport const Agent = withScheduler(Base);',
};
export const KINDS = Object.keys(AGENT_OF);

/** What examples import that is not installed: a service for web push that is out of order, and a model that repeats its input. */
const STUBS = `
  import { Agent } from "./agent.ts";
  export const AIChatAgent = Agent;
  export const openai = () => undefined;
  export const generateObject = async ({ prompt }) => ({ object: JSON.parse(prompt) });
  class WebPushError extends Error { statusCode = 503; }
  export default { setVapidDetails() {}, async sendNotification() { throw new WebPushError(); }, WebPushError };
`;

/** Returns the names of the methods that an example gives to schedules. */
function callbacksOf(code) {
  return [...new Set([...code.matchAll(/,\s*"([a-z]\w*)"\s*[,)]/gi)].map(([, name]) => name))];
}

/** Returns the module of an example, which exports its class as `Example`. */
function moduleOf(code, { before = "", scope = [], each = false }) {
  const name = /^(?:export )?class (\w+)/m.exec(code)?.[1];
  const local = code.replace(/from "agents"/g, 'from "./agent.ts"').replace(/from "(web-push|ai|@ai-sdk\/openai|@cloudflare\/ai-chat)"/g, 'from "./stubs.ts"');
  const header = `${/^import .*\bAgent\b/m.test(code) || name === undefined || !/extends Agent/.test(code) ? "" : 'import { Agent } from "./agent.ts";\n'}${before}\n`;
  if (name !== undefined) {
    // Calls below a class are of an agent of this class.
    const [, above, below] = /^([^]*?^}\n)([^]*)$/m.exec(local.slice(local.search(/^(export )?class /m)));
    const start = local.slice(0, local.search(/^(export )?class /m));
    return `${header}${start}${above}${below.includes("this.") ? `export async function example(this: any) {\n${below}}\n` : below}export { ${name} as Example };\n`;
  }
  const isMethod = /^(@\w+\(\)\n)?async \w+\(/m.test(code);
  const calls = each ? local.replace(/^await (this\.[^]*?\));$/gm, "await this.attempt(() => $1);") : local;
  const body = isMethod ? calls : `async example({ ${scope.join(", ")} }: any = {}) {\n${calls}}\n`;
  return `import { Agent, callable } from "./agent.ts";\n${before}\nexport class Example extends Agent<any, any> {\n${body}}\n`;
}

/**
 * Writes the Worker, and returns the path of its configuration, and the names of the bindings, by kind and example. `specs` has what
 * an example needs besides its text, by its name:
 *
 * - `before`: text in front of its class.
 * - `scope`: names of variables that its statements use. The method `example` gets them as an object.
 * - `each`: whether each of its statements may throw.
 * - `members`: text of further members of its class.
 * - `callbacks`: further names of methods for schedules.
 */
export async function writeWorker(examples, specs) {
  await rm(FOLDER, { recursive: true, force: true });
  const bindings = { own: {}, moved: {} };
  const classes = [];
  const main = ['import { SchedulerWorker } from "durable-scheduler/worker";', 'import { noting, route } from "../noting.ts";', 'export { Limiter, Registry, SchedulerEntrypoint, Shard } from "durable-scheduler/worker";'];
  for (const kind of KINDS) {
    await mkdir(join(FOLDER, kind), { recursive: true });
    await writeFile(join(FOLDER, kind, "agent.ts"), AGENT_OF[kind]);
    await writeFile(join(FOLDER, kind, "stubs.ts"), STUBS);
    for (const [index, { name, code }] of examples.entries()) {
      const { members = "", callbacks = [], ...spec } = specs[name] ?? {};
      const className = `${kind}${index}`;
      await writeFile(join(FOLDER, kind, `${index}.ts`), moduleOf(code, spec));
      main.push(
        `import * as example_${className} from "./${kind}/${index}.ts";`,
        `export class ${className} extends noting(example_${className}.Example, ${JSON.stringify([...callbacksOf(code), ...callbacks])}) {`,
        ...("" === members ? [] : [members]),
        `  async example(scope: any) { return ((example_${className} as any).example ?? (example_${className}.Example.prototype as any).example).call(this, scope); }`,
        "}",
      );
      bindings[kind][name] = className;
      classes.push(className);
    }
  }
  main.push("export default class extends SchedulerWorker<any> {", '  override async fetch(request: Request): Promise<Response> {\n    return new URL(request.url).pathname.startsWith("/v1/") ? super.fetch(request) : route(request, this.env);\n  }', "}");
  await writeFile(join(FOLDER, "worker.ts"), `${main.join("\n")}\n`);
  const config = JSON.parse(await readFile(join(HERE, "worker.jsonc"), "utf8"));
  const own = config.durable_objects.bindings.slice(0, 3);
  config.durable_objects.bindings = [...own, ...classes.map((name) => ({ name, class_name: name }))];
  config.migrations = [{ tag: "v1", new_sqlite_classes: config.durable_objects.bindings.map(({ class_name }) => class_name) }];
  const path = join(FOLDER, "worker.json");
  await writeFile(path, JSON.stringify(config));
  return { path, bindings, remove: () => rm(FOLDER, { recursive: true, force: true }) };
}
