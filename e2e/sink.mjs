// A receiver of fired tasks for tests: of webhooks, and of the envelopes the example consumer forwards.

import { createServer } from "node:http";

/**
 * Starts it on a free port. `answer(request)` decides the status of each webhook, 200 if it returns
 * nothing; it may be async, to be slow. A request is `{path, headers, body, receivedAt}`.
 *
 * Returns `{url, webhooks, envelopes, close}`: what arrived, in order of arrival.
 */
export async function startSink(answer = () => 200) {
  const webhooks = [];
  const envelopes = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString("utf8");
    if (request.url === "/envelopes") {
      for (const line of body.split("\n")) envelopes.push(JSON.parse(line));
      response.writeHead(200).end();
      return;
    }
    const webhook = { path: request.url, headers: request.headers, body: parse(body), receivedAt: Date.now() };
    webhooks.push(webhook);
    response.writeHead((await answer(webhook)) ?? 200).end();
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
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
