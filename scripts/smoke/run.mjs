// A whole run: deploys, measures, and removes everything again, however it ends.

import { randomBytes } from "node:crypto";
import { Deployment, addressOf } from "./deployment.mjs";
import { platformFigures } from "./figures.mjs";
import { LEFTOVER_MILLIS, namesOf } from "./names.mjs";
import { HOW_TO_REMOVE, remove, runsIn } from "./remove.mjs";
import { BUILD, dispatchConsumer, firedConsumer, receiverForm, schedulerForm } from "./upload.mjs";

/** How a run ended. */
export const EXIT = { fine: 0, faults: 1, failed: 2, left: 3, interrupted: 130 };

/** A request that was cut off may be carried out later. The account is looked at again after this time, in milliseconds. */
const LOOK_AGAIN_MILLIS = 5_000;

/** Why a run was ended from outside, as the reason of its signal. */
export class Interrupted extends Error {
  name = "Interrupted";
}

/** Removes what earlier runs have left. `isOld` says which. */
export async function removeLeftovers(api, log, isOld = ({ startedAt }) => Date.now() - startedAt > LEFTOVER_MILLIS) {
  const problems = [];
  for (const { run, startedAt } of await runsIn(api)) {
    if (isOld({ startedAt })) {
      log(`removing what is left of ${run}`);
      problems.push(...(await remove(api, run, log)));
    } else log(`${run} may be running: it is left alone`);
  }
  return problems;
}

/** Returns what is deployed by name, step by step, so that a message says where a run has failed. */
function deployment({ api, names, settings, build, keys, address, signal, state, log }) {
  const call = (method, path, more = {}) => api.call(method, path, { ...more, signal });
  const open = (name) => call("POST", `/workers/scripts/${name}/subdomain`, { body: { enabled: true, previews_enabled: false } });
  const uploadScheduler = async () => {
    state.deploys += 1;
    const form = await schedulerForm({ settings, names, build, secrets: { API_KEYS: keys.scheduler }, deploy: state.deploys });
    await call("PUT", `/workers/scripts/${names.scheduler}`, { form });
    return state.deploys;
  };
  const at = (name, key) => new Deployment({ url: addressOf(name, state.subdomain, address), key, signal });
  const steps = [
    ["look at the account", async () => {
      state.subdomain = (await call("GET", "/workers/subdomain")).subdomain;
      const problems = await removeLeftovers(api, log);
      if (problems.length > 0) throw new Error(`what an earlier run has left cannot be removed: ${problems.join("; ")}`);
    }],
    ["create the queues", async () => {
      for (const name of [names.dispatch, names.fired, names.dead]) {
        const queue = await call("POST", "/queues", { body: { queue_name: name } });
        state.queues[name] = queue.queue_id;
      }
    }],
    ["deploy the receiver", async () => {
      await call("PUT", `/workers/scripts/${names.receiver}`, { form: await receiverForm(settings, keys.receiver) });
      await open(names.receiver);
      await call("POST", `/queues/${state.queues[names.fired]}/consumers`, { body: firedConsumer(names) });
    }],
    ["deploy the scheduler", async () => {
      await uploadScheduler();
      await open(names.scheduler);
      await call("POST", `/queues/${state.queues[names.dispatch]}/consumers`, { body: dispatchConsumer(settings, names) });
      await call("PUT", `/workers/scripts/${names.scheduler}/schedules`, { body: settings.triggers.crons.map((cron) => ({ cron })) });
    }],
    ["wait until both answer", async () => {
      state.receiver = at(names.receiver, keys.receiver);
      state.scheduler = at(names.scheduler, keys.scheduler);
      await state.receiver.ready();
      await state.scheduler.ready();
    }],
  ];
  return { steps, uploadScheduler };
}

/**
 * Deploys a copy, measures it, and removes it. Never throws. Returns `{code, results, faults, notes}`, where `code` is one of `EXIT`.
 *
 * - `api`: the platform's.
 * - `run`: the name of the run.
 * - `settings`: of wrangler.toml; `build`: the folder of the built Worker.
 * - `address`: where deployed Workers answer: see `addressOf`.
 * - `measures`: what is measured, and `sizes`, `times`, `loadtest`, `everyMillis` for them: see measures.mjs.
 * - `signal`: ends the run. Then only the removal goes on.
 * - `log`: prints a line.
 */
export async function smoke({ api, run, settings, build = BUILD, address, measures, sizes, times, loadtest, everyMillis = 500, signal, log, lookAgainMillis = LOOK_AGAIN_MILLIS }) {
  const names = namesOf(run);
  const key = () => randomBytes(24).toString("hex");
  const keys = { scheduler: key(), receiver: key() };
  const state = { queues: {}, deploys: 0 };
  const [results, faults, notes] = [{}, [], []];
  const from = Date.now();
  const { steps, uploadScheduler } = deployment({ api, names, settings, build, keys, address, signal, state, log });
  const context = () => ({
    scheduler: state.scheduler,
    receiver: state.receiver,
    platform: () => platformFigures(api, { names, queues: [names.dispatch, names.fired].map((name) => state.queues[name]), from, signal }),
    deploy: uploadScheduler,
    ...{ sizes, times, loadtest, everyMillis, signal, faults, notes },
  });
  let code = EXIT.fine;
  let step = "begin";
  try {
    for (const [name, act] of steps) {
      step = name;
      signal.throwIfAborted();
      log(name);
      await act();
    }
    for (const measure of measures) {
      step = measure.name;
      signal.throwIfAborted();
      log(`measure: ${step}`);
      results[step] = await measure.run(context());
    }
    if (faults.length > 0) code = EXIT.faults;
  } catch (error) {
    const isInterrupted = signal.aborted && signal.reason instanceof Interrupted;
    code = isInterrupted ? EXIT.interrupted : EXIT.failed;
    log(isInterrupted ? `${signal.reason.message} at the step: ${step}` : `failed at the step: ${step}: ${(signal.aborted ? signal.reason : error).message}`);
  }
  log("remove everything");
  const left = await remove(api, run, log, api.isUnclear ? lookAgainMillis : 0);
  if (left.length > 0) {
    for (const problem of left) log(`could not be removed: ${problem}`);
    log(HOW_TO_REMOVE);
    code = EXIT.left;
  }
  for (const fault of faults) log(`wrong: ${fault}`);
  for (const note of notes) log(`remarkable: ${note}`);
  return { code, results, faults, notes };
}
