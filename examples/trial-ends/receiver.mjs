// The receiver: ends trials. It plays one that is not quite right yet.

import { createServer } from "node:http";

/**
 * Starts a receiver of trial ends. `end(customer)` does the work, once for each end of a trial; what it throws is answered as its
 * `status`, or as 500.
 */
export async function startReceiver({ port = 0, end }) {
  // Delivery is at least once: a repeat has the key of the first.
  const done = new Set();
  const server = createServer(async (request, response) => {
    const key = request.headers["idempotency-key"];
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    try {
      if (!done.has(key)) {
        await end(JSON.parse(Buffer.concat(chunks).toString()).payload.customer);
        done.add(key);
      }
      response.writeHead(204).end();
    } catch (error) {
      // The beginning of the body becomes the error of the attempt: let it say what is wrong.
      response.writeHead(error.status ?? 500).end(error.message);
    }
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { url: `http://localhost:${server.address().port}/trial-ends`, close: () => server.close() };
}
