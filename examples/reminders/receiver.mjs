// The receiver: the scheduler calls it when a reminder is due.

import { createServer } from "node:http";

/**
 * Starts a receiver that calls `remind({user, text, time})` once for each reminder that is due.
 * Any answer of 2xx means that the reminder is done; otherwise the scheduler calls again later.
 */
export async function startReceiver({ port = 0, remind }) {
  // Delivery is at least once. All attempts at one run have the same key, so a repeat is recognized by it. With
  // several receivers, or restarts, keep the keys where they share them, such as a unique column of a database.
  const done = new Set();
  const server = createServer(async (request, response) => {
    const key = request.headers["idempotency-key"];
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    try {
      if (!done.has(key)) {
        const task = JSON.parse(Buffer.concat(chunks).toString());
        await remind({ ...task.payload, time: task.time });
        done.add(key);
      }
      response.writeHead(204).end();
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  return { url: `http://localhost:${server.address().port}`, close: () => server.close() };
}
