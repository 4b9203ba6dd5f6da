// Events as they happen. An open stream keeps every shard awake, which costs money. So the user opens it, and it closes while the page is
// hidden.

import { useEffect, useState } from "preact/hooks";
import { ApiError, open, Unreachable } from "../../api/client";
import { readStats } from "../../api/stats";
import { Badge, Button, ErrorNote, Link, Time } from "../../components/basics";
import { awakeCostPerHour } from "../../lib/cost";
import { count, dollars, whole } from "../../lib/numbers";
import { explained } from "../../lib/errors";
import { eventsOf } from "../../lib/sse";
import { isVisible } from "../../state/live";
import { taskPath } from "../../state/router";
import { shardCount } from "../../state/shards";

interface Shown {
  type: string;
  key: string;
  at: number;
  id?: string;
  destination?: string;
  attempt?: number;
  error?: string;
}

const MAX_EVENTS = 200;
const AGAIN_MS = 2_000;

/** Follows the stream while it is open and the page is visible, and continues from the last event. Calls `onRefused` if it must not be opened. */
function useEvents(isOn: boolean, onRefused: () => void): { events: readonly Shown[]; error: unknown } {
  const [events, setEvents] = useState<readonly Shown[]>([]);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (!isOn || !isVisible.value) return undefined;
    const controller = new AbortController();
    let last: string | undefined;
    const follow = async () => {
      while (!controller.signal.aborted) {
        try {
          const response = await open("/v1/events", { signal: controller.signal, headers: last === undefined ? {} : { "last-event-id": last } });
          setError(undefined);
          if (!response.body) throw new Unreachable();
          for await (const { id, data } of eventsOf(response.body)) {
            last = id ?? last;
            if (data === "") continue;
            const event = JSON.parse(data) as Shown;
            // An event that is sent again has the same key.
            setEvents((before) => (before.some(({ key }) => key === event.key) ? before : [event, ...before].slice(0, MAX_EVENTS)));
          }
        } catch (problem) {
          if (controller.signal.aborted) return;
          setError(problem instanceof TypeError ? new Unreachable() : problem);
          if (problem instanceof ApiError && !problem.isPassing) return onRefused();
        }
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    };
    void follow();
    return () => controller.abort();
  }, [isOn, isVisible.value]);
  return { events, error };
}

export function Events() {
  const [isOn, setOn] = useState(false);
  const { events, error } = useEvents(isOn, () => setOn(false));
  useEffect(() => {
    if (shardCount.value === undefined) void readStats().catch(() => {});
  }, []);
  const shards = shardCount.value;
  return (
    <>
      <div class="note warn">
        <p>
          An open stream keeps every shard awake, which the platform bills
          {shards === undefined ? "" : `: about ${dollars(awakeCostPerHour(shards))} an hour for the ${whole(shards)} shards of this namespace`}. It closes when this page is hidden.
        </p>
        <p class="row">
          <Button kind={isOn ? "plain" : "main"} icon={isOn ? "pause" : "play"} onClick={() => setOn(!isOn)}>
            {isOn ? "Stop" : "Follow events"}
          </Button>
          <span role="status">{!isOn ? "" : events.length === 0 ? "Waiting for the first event…" : `${count(events.length, "event")}, the newest first`}</span>
        </p>
      </div>
      <ErrorNote error={error} />
      {events.length > 0 && (
        <div class="scrolls events" tabIndex={0} role="region" aria-label="Events">
          <table class="table cards">
            <thead>
              <tr>
                <th scope="col">At</th>
                <th scope="col">Event</th>
                <th scope="col">Of</th>
                <th scope="col">Error</th>
              </tr>
            </thead>
            <tbody>
              {events.map((event) => (
                <tr key={event.key}>
                  <td data-title="At">
                    <Time at={event.at} />
                  </td>
                  <td data-title="Event">
                    <Badge value={event.type} />
                  </td>
                  <td data-title="Of">{event.id === undefined ? event.destination : <Link to={taskPath(event.id)}>{event.id}</Link>}</td>
                  <td class="muted error-cell" data-title="Error">
                    {explained(event.error ?? "")}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
