// What must compile in a Worker whose modules are resolved as Node does it.

import { cron, Scheduler, SchedulerClient, Tasks } from "durable-scheduler";
import { withScheduler } from "durable-scheduler/agents";
import { consume } from "durable-scheduler/consumer";
import { SchedulerWorker } from "durable-scheduler/worker";

export class Reports extends Scheduler {
  @cron("0 9 * * MON")
  async send() {}
}
export default class extends SchedulerWorker {}
export { consume, SchedulerClient, Tasks, withScheduler };
