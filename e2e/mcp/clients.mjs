// The official clients of the Model Context Protocol, of both generations, and its conformance suite.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as FormerClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as FormerTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const SUITE = join(import.meta.dirname, "node_modules/@modelcontextprotocol/conformance/dist/index.js");

/** Connects a client that speaks 2026-07-28. `answer` is asked what the user says to a question; without it, the client asks nobody. */
export async function connect(url, headers, answer) {
  const capabilities = answer ? { elicitation: { form: {} } } : {};
  const client = new Client({ name: "test", version: "1" }, { capabilities, versionNegotiation: { mode: "auto" } });
  if (answer) client.setRequestHandler("elicitation/create", ({ params }) => answer(params));
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  return client;
}

/** Connects a client of the generation before, which speaks 2025-11-25. */
export async function connectFormer(url, headers) {
  const client = new FormerClient({ name: "test", version: "1" });
  await client.connect(new FormerTransport(new URL(url), { requestInit: { headers } }));
  return client;
}

/** Starts a server that adds headers to every request and passes it on: the suite sends no key. */
async function adding(headers, to) {
  const { hostname, port, pathname } = new URL(to);
  const server = createServer((asked, answer) => {
    const onward = request({ hostname, port, path: pathname, method: asked.method, headers: { ...asked.headers, ...headers } }, (answered) => {
      answer.writeHead(answered.statusCode, answered.headers);
      answered.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    asked.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // The host that a client names is passed on as well, so it has to be the one that the server is reached by.
  return { url: `http://127.0.0.1:${server.address().port}${pathname}`, close: () => server.close() };
}

/**
 * Runs every scenario that a revision requires of a server. `beyond` lists the checks, as `scenario:check`, that need what this server does not
 * have. One of them that passes, or another one that fails, makes the suite fail. Returns what it prints, and its status.
 */
export async function conformance(url, headers, revision, beyond) {
  const folder = await mkdtemp(join(tmpdir(), "mcp-conformance-"));
  const proxy = await adding(headers, url);
  try {
    const expected = join(folder, "beyond.yml");
    await writeFile(expected, `server:\n${beyond.map((name) => `  - ${name}\n`).join("")}`);
    const args = [SUITE, "server", "--url", proxy.url, "--requirements", revision, "--expected-failures", expected, "--output-dir", folder];
    const suite = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [suite.stdout, suite.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
    const [status] = await once(suite, "close");
    return { status, output };
  } finally {
    proxy.close();
    await rm(folder, { recursive: true, force: true });
  }
}
