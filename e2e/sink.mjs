// A receiver of fired tasks for tests: of webhooks, and of the envelopes the example consumer forwards.

import { createServer } from "node:http";

/**
 * Starts it, on a free port where none is given. `answer(request)` decides the answer to each webhook, 200 if it returns
 * nothing: a status, `{status, headers, body}`, or a function that is given Node's response to write; it may
 * be async, to be slow. A request is `{method, path, headers, text, body, receivedAt}`, `body` being the text as
 * JSON where it is JSON.
 *
 * Returns `{url, webhooks, envelopes, close}`: what arrived, in order of arrival.
 */
export async function startSink(answer = () => 200, port = 0) {
  const webhooks = [];
  const envelopes = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString("utf8");
    if (request.url === "/envelopes") {
      for (const line of text.split("\n")) envelopes.push(JSON.parse(line));
      response.writeHead(200).end();
      return;
    }
    const { method, url: path, headers } = request;
    const webhook = { method, path, headers, text, body: parse(text), receivedAt: Date.now() };
    webhooks.push(webhook);
    const given = (await answer(webhook)) ?? 200;
    if (typeof given === "function") return given(response);
    const { status, headers: more, body } = typeof given === "number" ? { status: given } : given;
    response.writeHead(status, more).end(body);
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  // A test that fails before it closes its sink still ends.
  server.unref();
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    webhooks,
    envelopes,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

function parse(body) {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
