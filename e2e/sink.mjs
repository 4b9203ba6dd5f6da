// A receiver of fired tasks for tests: of webhooks, and of the envelopes that the example consumer
// forwards.

import { createServer } from "node:http";

/**
 * Starts the receiver, by default on a free port. `answer(request)` returns the answer to each
 * webhook, or nothing for 200: a status, `{status, headers, body}`, or a function that writes
 * Node's response. It may be async, to be slow. A request is `{method, path, headers, text, body,
 * receivedAt}`, where `body` is the parsed text if it is JSON.
 *
 * Returns `{url, webhooks, envelopes, close}`: the webhooks and envelopes are in order of arrival.
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
  // A test that fails before it closes its sink can still end.
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
