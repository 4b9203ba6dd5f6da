// Lets the load tester, which speaks to this machine only, drive a deployment. The bridge forwards its requests to the deployed scheduler, and
// what arrives at the deployed receiver to the load tester's sink.

import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Arrivals } from "./arrivals.mjs";

/** How often the receiver is asked, in milliseconds. */
const EVERY_MILLIS = 500;
/** The headers of an answer that the load tester reads. */
const ANSWERED = ["content-type", "retry-after"];

/**
 * Starts a bridge. `scheduler` and `receiver` are deployments, and `sinkPort` is the port of the load tester's sink. Returns:
 *
 * - `url`: where the load tester finds the scheduler.
 * - `lateness`: how late each webhook arrived, in milliseconds, by the platform's clock.
 * - `outcomes`: the number of the load tester's requests by status.
 * - `stop()`: ends it. Throws if it could not pass on what has arrived.
 */
export async function startBridge({ scheduler, receiver, sinkPort, everyMillis = EVERY_MILLIS }) {
  const lateness = [];
  const outcomes = {};
  const local = `http://127.0.0.1:${sinkPort}/hook`;
  const arrivals = new Arrivals(receiver);
  await arrivals.skip();

  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString("utf8").replaceAll(local, `${receiver.url}/hook`);
    const hasBody = request.method !== "GET" && request.method !== "HEAD";
    try {
      const answer = await scheduler.send(request.url, {
        method: request.method,
        body: hasBody ? text : undefined,
        headers: { authorization: request.headers.authorization, ...(request.headers["content-type"] && { "content-type": request.headers["content-type"] }) },
      });
      count(answer.status);
      const headers = ANSWERED.map((name) => [name, answer.headers.get(name)]).filter(([, value]) => value !== null);
      response.writeHead(answer.status, Object.fromEntries(headers)).end(answer.text);
    } catch {
      // The load tester sends it again, as after any connection that was lost.
      count("no answer");
      request.socket.destroy();
    }
  });
  const count = (outcome) => (outcomes[outcome] = (outcomes[outcome] ?? 0) + 1);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const post = async (path, headers, body) => {
    const answer = await fetch(`http://127.0.0.1:${sinkPort}${path}`, { method: "POST", headers, body });
    if (!answer.ok) throw new Error(`the load tester's sink answered ${answer.status} ${await answer.text()}`);
  };
  const pass = async ({ at, key, body }) => {
    if (key === null) return post("/envelopes", { "x-received-at": String(at) }, body);
    lateness.push(at - JSON.parse(body).time);
    return post("/hook", { "idempotency-key": key }, body);
  };
  let isOn = true;
  let problem;
  /** Asks again after a failure: a Worker that is being deployed may miss a request. */
  const pump = async () => {
    while (isOn) {
      const taken = await arrivals.take().then((taken) => ((problem = undefined), taken), (error) => ((problem = error), []));
      for (const arrival of taken) await pass(arrival);
      if (taken.length === 0) await sleep(everyMillis);
    }
  };
  // The sink is gone when the load tester has ended. What arrives later is no longer wanted.
  const pumped = pump().catch((error) => {
    if (!(error instanceof TypeError)) problem = error;
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    lateness,
    outcomes,
    stop: async () => {
      isOn = false;
      server.close();
      server.closeAllConnections();
      await pumped;
      if (problem) throw new Error(`what arrived at the receiver could not be passed on: ${problem.message}`);
    },
  };
}
