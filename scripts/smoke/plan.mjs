// What a run does, how long it may take, and what it costs at most.

/** A run that takes longer is ended, and its deployment removed. Milliseconds. */
export const MAX_RUN_MILLIS = 45 * 60_000;

/** Prices of a million units beyond what is included in the paid plan, in dollars: see docs/production.md. */
const PRICES = { "rows written": 1, "queue operations": 0.4, "requests to Workers": 0.3, "requests to objects": 0.15 };

/**
 * What one task uses at most, if it shares nothing with another: see docs/production.md. The scheduler and the receiver are counted.
 * A task for the receiver's queue is in two queues.
 */
const OF_A_TASK = { "rows written": 8, "queue operations": 6, "requests to Workers": 4, "requests to objects": 5 };

const whole = (value, least) => Math.max(least, Math.round(value));

/** Returns the sizes of a run. `scale` multiplies the numbers of tasks and the times, 1 by default. */
export function sizes(scale = 1) {
  const seconds = whole(60 * scale, 2);
  return {
    /** Tasks that are created and run on their own. */
    sparse: { rate: 1, seconds: whole(60 * scale, 3), bulk: 1, via: ["webhook"] },
    steady: { rate: whole(100 * Math.min(scale, 4), 20), seconds, bulk: 50, via: ["webhook", "consumer"] },
    herd: { tasks: whole(20_000 * scale, 100), seconds: 0, bulk: 1_000, via: ["consumer", "webhook"] },
    /** While the Worker is deployed again. */
    redeploy: { rate: whole(50 * Math.min(scale, 4), 20), seconds: whole(60 * scale, 4), bulk: 10, via: ["webhook"] },
    large: { tasks: Math.min(20_000, whole(20_000 * scale, 200)) },
    /** Tasks that run every second, before and after a panic. */
    panic: { tasks: 16, seconds: whole(60 * scale, 3) },
  };
}

/** Returns the most tasks and runs of tasks, and what they cost at most: `{tasks, units, dollars}`. */
export function estimate(sized) {
  const { sparse, steady, herd, redeploy, large, panic } = sized;
  const loads = [sparse, steady, herd, redeploy].map(({ tasks, rate, seconds }) => tasks ?? rate * seconds);
  // After a panic, the tasks run for as long again until they are woken, and some seconds more.
  const runs = panic.tasks * (3 * panic.seconds + 30);
  const tasks = loads.reduce((sum, count) => sum + count, 0) + large.tasks + runs;
  const units = Object.fromEntries(Object.entries(OF_A_TASK).map(([unit, count]) => [unit, count * tasks]));
  const dollars = Object.entries(units).reduce((sum, [unit, count]) => sum + (count * PRICES[unit]) / 1e6, 0);
  return { tasks, units, dollars };
}

const thousands = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

/** Returns what a run does and costs at most, as lines for somebody who has to confirm it. */
export function planText(sized, run, analyticsSeconds) {
  const { tasks, units, dollars } = estimate(sized);
  return [
    `This deploys two Workers and three queues named ${run}… to your account, and removes them at the end.`,
    `It creates at most ${thousands(tasks)} tasks and runs of tasks, and takes at most ${MAX_RUN_MILLIS / 60_000} minutes. That includes a wait of up to ${Math.ceil(analyticsSeconds / 60)} minutes for the platform's figures.`,
    `Most, if no two tasks share anything: ${Object.entries(units).map(([unit, count]) => `${thousands(count)} ${unit}`).join(", ")}.`,
    `That costs at most ${Math.ceil(dollars * 100)} cents, and less by what your plan includes. The free plan does not suffice.`,
  ];
}
