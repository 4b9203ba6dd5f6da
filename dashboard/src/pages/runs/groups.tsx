import { useEffect, useState } from "preact/hooks";
import { listRuns, type RunFilter } from "../../api/runs";
import type { ErrorGroup } from "../../api/types";
import { Button, Empty, ErrorNote, Link, Loading, Time } from "../../components/basics";
import { useReturn } from "../../components/use-return";
import { explained } from "../../lib/errors";
import { textOfAll } from "../../lib/groups";
import { count, whole } from "../../lib/numbers";
import { pageWith, taskPath } from "../../state/router";

/** Joins the groups of two pages. Groups with the same error become one. */
function joined(one: readonly ErrorGroup[], other: readonly ErrorGroup[]): ErrorGroup[] {
  const groups = new Map(one.map((group) => [group.error, group]));
  for (const group of other) {
    const before = groups.get(group.error);
    groups.set(group.error, before ? { ...before, count: before.count + group.count, firstAt: Math.min(before.firstAt, group.firstAt) } : group);
  }
  return [...groups.values()].sort((a, b) => b.count - a.count);
}

export function ErrorGroups({ filter }: { filter: RunFilter }) {
  const [groups, setGroups] = useState<ErrorGroup[]>();
  const [cursor, setCursor] = useState<string | null>(null);
  const [looked, setLooked] = useState(0);
  const [error, setError] = useState<unknown>();
  const read = async (from: string | undefined, signal?: AbortSignal) => {
    try {
      const page = await listRuns(filter, { group: "error", order: "count", cursor: from }, signal);
      setGroups((before) => joined(before ?? [], page.groups ?? []));
      setLooked((before) => before + page.attempts);
      setCursor(page.cursor);
      setError(undefined);
    } catch (problem) {
      if (!signal?.aborted) setError(problem);
    }
  };
  useEffect(() => {
    const controller = new AbortController();
    void read(undefined, controller.signal);
    return () => controller.abort();
  }, []);
  const again = () => void read(cursor ?? undefined);
  useReturn(() => {
    if (error) again();
  });
  if (!groups) return error ? <ErrorNote error={error} onRetry={again} /> : <Loading />;
  return (
    <>
      <ErrorNote error={error} onRetry={again} />
      {groups.length === 0 ? (
        <Empty title={Object.keys(filter).length > 0 ? "No error matches" : "No errors"}>Here, attempts whose errors differ only in numbers and ids are one group.</Empty>
      ) : (
        <div class="scrolls" tabIndex={0} role="region" aria-label="Errors">
          <table class="table cards">
            <thead>
              <tr>
                <th scope="col">Error</th>
                <th scope="col" class="number">
                  Attempts
                </th>
                <th scope="col">First</th>
                <th scope="col">Last</th>
                <th scope="col">Last task</th>
                <th scope="col">List</th>
              </tr>
            </thead>
            <tbody>
              {groups.map((group) => (
                <tr key={group.error} data-row>
                  <td class="error-cell" data-title="Error">
                    {explained(group.example.error ?? group.error)}
                  </td>
                  <td class="number" data-title="Attempts">
                    {whole(group.count)}
                  </td>
                  <td data-title="First">
                    <Time at={group.firstAt} />
                  </td>
                  <td data-title="Last">
                    <Time at={group.lastAt} />
                  </td>
                  <td data-title="Last task">{group.example.id && <Link to={taskPath(group.example.id)}>{group.example.id}</Link>}</td>
                  <td data-title="List">
                    <Link to={pageWith("/runs", { ...filter, error: textOfAll(group.error) })}>Attempts</Link>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <p class="row muted">
        {count(looked, "attempt")} searched. {cursor !== null && <Button onClick={() => void read(cursor)}>Look further back</Button>}
      </p>
    </>
  );
}
