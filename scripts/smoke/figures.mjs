// The platform's own figures of a run: GraphQL analytics. They are of one day at most, and arrive some minutes late.

const QUERY = `query Smoke($account: String!, $from: Time!, $to: Time!, $scripts: [String!]!, $namespaces: [String!]!, $queues: [String!]!) {
  viewer {
    accounts(filter: { accountTag: $account }) {
      workers: workersInvocationsAdaptive(limit: 1000, filter: { datetime_geq: $from, datetime_leq: $to, scriptName_in: $scripts }) {
        sum { requests errors subrequests cpuTimeUs }
        dimensions { scriptName }
      }
      objects: durableObjectsInvocationsAdaptiveGroups(limit: 1000, filter: { datetime_geq: $from, datetime_leq: $to, namespaceId_in: $namespaces }) {
        sum { requests errors }
        dimensions { namespaceId }
      }
      periodic: durableObjectsPeriodicGroups(limit: 1000, filter: { datetime_geq: $from, datetime_leq: $to, namespaceId_in: $namespaces }) {
        sum { duration rowsRead rowsWritten }
        dimensions { namespaceId }
      }
      queues: queueMessageOperationsAdaptiveGroups(limit: 1000, filter: { datetime_geq: $from, datetime_leq: $to, queueId_in: $queues }) {
        sum { billableOperations }
        dimensions { queueId }
      }
    }
  }
}`;

const total = (rows, member) => (rows ?? []).reduce((sum, row) => sum + (row.sum?.[member] ?? 0), 0);

/**
 * Returns what the platform has counted since `from` (milliseconds) for the scheduler of a run: its Worker, its shards and its queues. CPU time
 * is in milliseconds, and the duration of objects in GB-seconds.
 */
export async function platformFigures(api, { names, queues, from, signal }) {
  const namespaces = await api.list("/workers/durable_objects/namespaces", { signal });
  const shards = namespaces.filter((namespace) => namespace.script === names.scheduler && namespace.class === "Shard").map(({ id }) => id);
  const rows = await api.analytics(QUERY, {
    from: new Date(from).toISOString(),
    to: new Date().toISOString(),
    scripts: [names.scheduler],
    namespaces: shards,
    queues,
  }, { signal });
  return {
    rowsWritten: total(rows.periodic, "rowsWritten"),
    rowsRead: total(rows.periodic, "rowsRead"),
    objectRequests: total(rows.objects, "requests"),
    queueOperations: total(rows.queues, "billableOperations"),
    workerRequests: total(rows.workers, "requests"),
    workerErrors: total(rows.workers, "errors"),
    cpuMillis: Math.round(total(rows.workers, "cpuTimeUs") / 1_000),
    objectGbSeconds: Math.round(total(rows.periodic, "duration")),
  };
}
