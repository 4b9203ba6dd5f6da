//! The shell around the engine: load, call, apply, arm, send.

use crate::alarm::Alarm;
use crate::config;
use crate::group_commit::Waiting;
use crate::limits::{self, LimiterReply};
use crate::memory::Account;
use crate::readers::Readers;
use crate::sends::{self, Lines, Outcome, SEND_MILLIS};
use crate::storage::Sql;
use futures::channel::oneshot;
use futures::future::{Either, FutureExt, LocalBoxFuture, select};
use futures::stream::{FuturesUnordered, StreamExt};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Effects, Engine, EngineError, LONGEST_RUN_MILLIS, stay_awake};
use scheduler_platform::settings::isolate_bytes;
use scheduler_platform::{now, sleep, within};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use worker::{Env, State};

/// The alarm that is set while the handler runs, so that a run that is cut off is followed by
/// another (invariant 4).
const SAFETY_MILLIS: i64 = LONGEST_RUN_MILLIS + 5_000;

/// How long the handler waits at a time when it waits for an answer only.
const AWAIT_ANSWER_MILLIS: i64 = 5_000;

/// Counts that no firing has stored are stored after this time, well within the ten seconds for
/// which an idle object stays in memory.
const SAVE_MILLIS: u64 = 5_000;

/// What the alarm handler waited for.
enum Heard {
    /// A limiter's answer.
    Limit(LimiterReply),
    /// What became of a batch, by its number.
    Sent((u64, Outcome)),
}

/// A shard: its storage, its engine while it is loaded, and its alarm.
pub struct Shell {
    state: State,
    env: Env,
    sql: Sql,
    engine: Rc<RefCell<Option<Engine>>>,
    /// Appends that wait for their commit.
    pub(crate) appends: Waiting,
    /// This shard's part of the isolate's memory.
    memory: Account,
    /// Bytes that the shards of the isolate may hold together.
    most_memory: usize,
    /// Requests that wait for events.
    pub(crate) readers: Readers,
    /// Whether a timer is running that will store the counts.
    saving: Rc<Cell<bool>>,
    alarm: Alarm,
    /// While the alarm handler waits: until when, and how to wake it.
    waiting: RefCell<Option<(UnixMillis, oneshot::Sender<()>)>>,
    /// Whether the alarm handler is running, and will look for further work before it ends.
    running: Cell<bool>,
}

impl Shell {
    /// Creates the shell without reading anything: the first event loads the shard.
    pub fn new(state: State, env: Env) -> Self {
        let sql = Sql::new(state.storage());
        let engine = Rc::default();
        Self {
            alarm: Alarm::new(&state, Rc::clone(&engine)),
            memory: Account::of(state.id().name().as_deref()),
            state,
            most_memory: isolate_bytes(&env),
            env,
            sql,
            engine,
            appends: Waiting::default(),
            readers: Readers::default(),
            saving: Rc::default(),
            waiting: RefCell::new(None),
            running: Cell::new(false),
        }
    }

    /// Handles one input: loads the engine if necessary, calls it, and applies its writes in one
    /// transaction. Returns what remains to be done. If an error may have left memory and storage
    /// different, it drops the engine, and the next input starts from storage.
    pub(crate) fn input<T>(
        &self,
        call: impl FnOnce(&mut Engine, UnixMillis, &Sql) -> Result<(T, Effects), EngineError>,
    ) -> Result<(T, Effects), EngineError> {
        let mut slot = self.engine.borrow_mut();
        let outcome = self.loaded(&mut slot).and_then(|engine| {
            let now = now();
            let observed = engine.observe(now);
            engine.observe_isolate(self.memory.of_isolate(self.most_memory));
            engine.check_memory()?;
            self.sql.apply(observed.writes)?;
            let (reply, mut effects) = call(engine, now, &self.sql)?;
            engine.check_memory()?;
            self.sql.apply(std::mem::take(&mut effects.writes))?;
            let (read, written) = self.sql.take_rows();
            let meter = engine.meter_mut();
            meter.rows_read += read;
            meter.rows_written += written;
            Ok((reply, effects))
        });
        if outcome.as_ref().is_err_and(EngineError::drops_engine) {
            *slot = None;
        }
        match slot.as_ref() {
            Some(engine) => {
                self.readers.wake(engine.events_noted());
                self.memory.note(engine);
            }
            None => self.memory.clear(),
        }
        if slot.as_ref().is_some_and(Engine::is_unsaved) && !self.saving.replace(true) {
            self.save_later();
        }
        outcome
    }

    fn save_later(&self) {
        let (sql, engine, saving) = (self.sql.clone(), self.engine.clone(), self.saving.clone());
        self.state.wait_until(async move {
            sleep(Duration::from_millis(SAVE_MILLIS)).await;
            saving.set(false);
            let mut slot = engine.borrow_mut();
            let Some(loaded) = slot.as_mut().filter(|engine| engine.is_unsaved()) else { return };
            let saved = loaded.save();
            let stored = loaded.check_memory().and_then(|()| Ok(sql.apply(saved.writes)?));
            if let Err(problem) = stored {
                worker::console_error!("counts were not stored: {problem}");
                *slot = None;
            }
        });
    }

    fn loaded<'a>(&self, slot: &'a mut Option<Engine>) -> Result<&'a mut Engine, EngineError> {
        match slot {
            Some(engine) => Ok(engine),
            None => {
                let name = self.state.id().name().unwrap_or_default();
                let mut engine =
                    Engine::load(&name, config::read(&self.env), self.sql.snapshot()?)?;
                self.sql.each_schedule(|schedule| engine.load_schedule(schedule))?;
                Ok(slot.insert(engine))
            }
        }
    }

    /// Ensures after an input that the shard wakes up in time. It does not set the alarm while the
    /// handler is running, and leaves an alarm that is too early: a wake-up for nothing costs less
    /// than a row. Never fails: see [`crate::alarm`].
    pub(crate) async fn arm(&self) {
        let wanted = match self.next_wakeup() {
            Ok(Some(wanted)) => wanted,
            Ok(None) => return,
            Err(problem) => {
                worker::console_error!(
                    "shard {}: {problem}; trying again",
                    self.state.id().name().unwrap_or_default()
                );
                return self.alarm.set_soon(&self.state).await;
            }
        };
        if self.running.get() {
            let sleeps_too_long =
                self.waiting.borrow().as_ref().is_some_and(|(until, _)| wanted < *until);
            if sleeps_too_long && let Some((_, waker)) = self.waiting.take() {
                // It may have woken by itself meanwhile.
                let _ = waker.send(());
            }
            return;
        }
        if self.alarm.armed().is_none_or(|armed| armed > wanted) {
            self.alarm.set(&self.state, wanted).await;
        }
    }

    /// Assumes that no alarm is set and no handler is running: either would have handled what is
    /// overdue.
    pub(crate) fn forget_alarm(&self) {
        self.alarm.forget();
        self.running.set(false);
    }

    fn next_wakeup(&self) -> Result<Option<UnixMillis>, EngineError> {
        self.input(|engine, _, _| Ok((engine.next_wakeup(), Effects::default())))
            .map(|(next, _)| next)
    }

    /// Handles the alarm: dispatches what is due, and goes on while more is near. Never fails,
    /// because the platform drops an alarm after six errors.
    pub async fn alarm(&self) {
        let stay = stay_awake(self.alarm.armed(), now());
        self.alarm.forget();
        self.running.set(true);
        let outcome = self.run(stay).await;
        self.running.set(false);
        self.waiting.take();
        match outcome {
            Ok(()) => self.arm().await,
            Err(problem) => {
                worker::console_error!(
                    "shard {}: {problem}; trying again",
                    self.state.id().name().unwrap_or_default()
                );
                self.alarm.set_soon(&self.state).await;
            }
        }
    }

    /// Dispatches what is due, and goes on while the next firing is within `stay` milliseconds.
    async fn run(&self, stay: i64) -> Result<(), EngineError> {
        let mut began = now();
        if let Some(engine) = self.engine.borrow_mut().as_mut() {
            engine.meter_mut().shard_requests += 1;
        }
        let name = self.state.id().name().unwrap_or_default();
        let mut lines = Lines::default();
        let mut answers: FuturesUnordered<LocalBoxFuture<'_, Heard>> = FuturesUnordered::new();
        let mut asking = 0_usize;
        loop {
            let round = now();
            if lines.has_room() {
                let ((), effects) =
                    self.input(|engine, now, sql| Ok(((), engine.wake(now, sql)?)))?;
                let next = self.next_wakeup()?;
                // Invariant 4: armed before the work that can fail.
                let next = next.unwrap_or(UnixMillis::NEVER);
                asking += effects.asks.len();
                let asks = effects.asks.into_iter().map(|ask| limits::ask(&self.env, &name, ask));
                answers.extend(asks.map(|ask| ask.map(Heard::Limit).boxed_local()));
                lines.add(effects.sends);
                let near = next <= now().plus(stay) || asking > 0;
                let wanted = if near { now().plus(SAFETY_MILLIS) } else { next };
                if wanted != UnixMillis::NEVER
                    && self
                        .alarm
                        .armed()
                        .is_none_or(|armed| armed > wanted || armed <= now().plus(stay))
                {
                    self.alarm.set(&self.state, wanted).await;
                }
            }
            let started = lines.start(now());
            answers.extend(
                started
                    .into_iter()
                    .map(|batch| sends::send(&self.env, batch).map(Heard::Sent).boxed_local()),
            );
            self.note_sends(lines.give_up(now()))?;
            // If the clock goes back, the run does not get longer.
            began = began.min(now());
            let lasted = now().since(began);
            if lasted >= LONGEST_RUN_MILLIS + SEND_MILLIS
                || (lasted >= LONGEST_RUN_MILLIS && lines.is_empty())
            {
                break;
            }
            let next = if lines.has_room() { self.next_wakeup()? } else { None };
            let next = next.filter(|next| *next <= now().plus(stay));
            if answers.is_empty() {
                match next {
                    None => return Ok(()),
                    Some(next) => self.wait_until(next).await,
                }
            } else {
                let look = next
                    .into_iter()
                    .chain(lines.next_look())
                    .min()
                    .unwrap_or_else(|| now().plus(AWAIT_ANSWER_MILLIS));
                let wait = std::pin::pin!(self.wait_until(look));
                let mut heard = match select(wait, answers.next()).await {
                    Either::Left(_) => None,
                    Either::Right((heard, _)) => heard,
                };
                self.waiting.take();
                // Together with the first answer, all that have arrived by now.
                while let Some(answer) = heard {
                    asking -= usize::from(matches!(answer, Heard::Limit(_)));
                    self.take_answer(answer, &mut lines)?;
                    heard = answers.next().now_or_never().flatten();
                }
            }
            // Whatever the engine asks for, each round yields to others for a moment.
            if now() <= round {
                sleep(Duration::from_millis(1)).await;
            }
        }
        // The next run continues with what no queue has answered.
        self.note_sends(lines.cut_off())?;
        // A request that was sent is worth its answer, because the limiter has noted it.
        while asking > 0
            && let Some(heard) = answers.next().await
        {
            asking -= usize::from(matches!(heard, Heard::Limit(_)));
            self.take_answer(heard, &mut lines)?;
        }
        Ok(())
    }

    fn take_answer(&self, heard: Heard, lines: &mut Lines) -> Result<(), EngineError> {
        match heard {
            Heard::Sent((number, outcome)) => self.note_sends(lines.ended(number, &outcome)),
            Heard::Limit(reply) => self
                .input(|engine, now, _| {
                    match &reply.answer {
                        Some(answer) => {
                            engine.limit_answered(&reply.key, reply.number, answer.as_ref(), now)
                        }
                        None => engine.limit_failed(&reply.key, reply.number, now),
                    }
                    Ok(((), Effects::default()))
                })
                .map(|_| ()),
        }
    }

    /// Reports to the engine what became of envelopes.
    fn note_sends(&self, outcomes: Vec<(u64, Outcome)>) -> Result<(), EngineError> {
        if outcomes.is_empty() {
            return Ok(());
        }
        self.input(|engine, now, sql| {
            let mut effects = Effects::default();
            for (seq, outcome) in outcomes {
                match outcome {
                    Outcome::Taken => {
                        effects.writes.append(&mut engine.sent(seq, now, sql)?.writes)
                    }
                    Outcome::Refused(problem) => {
                        worker::console_error!(
                            "envelope {seq} was not taken: {problem}; it will be sent again"
                        );
                        effects.writes.append(&mut engine.send_failed(seq, now).writes);
                    }
                    Outcome::Unanswered => {
                        worker::console_error!(
                            "envelope {seq}: the queue did not answer; it will be sent again"
                        );
                        effects.writes.append(&mut engine.send_unanswered(seq, now).writes);
                    }
                }
            }
            Ok(((), effects))
        })
        .map(|_| ())
    }

    async fn wait_until(&self, until: UnixMillis) {
        let (waker, woken) = oneshot::channel();
        *self.waiting.borrow_mut() = Some((until, waker));
        // A time in the past means soon, but never at once: that would starve everything else in
        // the process.
        let millis = u64::try_from(until.since(now())).unwrap_or(0).max(1);
        // Woken or not: nothing waits any more.
        let _ = within(Duration::from_millis(millis), woken).await;
        self.waiting.take();
    }
}
