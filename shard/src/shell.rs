//! Drives the engine: loads it, calls it, applies its effects, sets the alarm, and sends.

use crate::alarm::Alarm;
use crate::config;
use crate::group_commit::Waiting;
use crate::limiter_client::{self, LimiterReply};
use crate::memory::Resident;
use crate::readers::Readers;
use crate::sends::{self, Lines, Outcome, Repeats, SEND_MILLIS};
use crate::storage::Sql;
use futures::channel::oneshot;
use futures::future::{Either, FutureExt, LocalBoxFuture, select};
use futures::stream::{FuturesUnordered, StreamExt};
use scheduler_calendar::time::UnixMillis;
use scheduler_engine::{Effects, Engine, EngineError, LONGEST_RUN_MILLIS, stay_awake};
use scheduler_model::numbers::EnvelopeSeq;
use scheduler_platform::settings::{self, isolate_bytes};
use scheduler_platform::{Guard, Reset, is_reborn, jurisdiction_of, now, sleep, within};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use worker::{Env, State};

/// While the handler runs, the alarm is set this many milliseconds ahead, so that another run
/// follows one that is cut off (invariant 4).
const SAFETY_MILLIS: i64 = LONGEST_RUN_MILLIS + 5_000;

/// How long the handler waits at a time if it waits only for an answer.
const AWAIT_ANSWER_MILLIS: i64 = 5_000;

/// The least time between two rows that store only counts, in milliseconds. A firing stores the
/// counts, too. Otherwise the input that changed them stores them in a row of their own. If that
/// would be too soon, a timer stores them later; a timer keeps the object awake and so costs more
/// than the row. An idle object stays in memory for ten seconds, so this is early enough.
const SAVE_MILLIS: i64 = 5_000;

/// If the alarm handler does not continue within this time after the end of its wait, a panic has
/// ended the program, and the object is reset. The handler does little between two waits, but
/// storage may take seconds to accept an alarm. An unneeded reset costs a start of the shard.
const GUARD: Duration = Duration::from_secs(10);

/// An answer that the alarm handler has waited for.
enum Received {
    /// The reply of a limiter, or its failure.
    Limit(LimiterReply),
    /// The number of a batch that has ended, and its outcome.
    Sent((u64, Outcome)),
}

/// The answers that a run of the alarm handler waits for.
type Answers<'a> = FuturesUnordered<LocalBoxFuture<'a, Received>>;

/// A shard: its storage, its engine while it is loaded, and its alarm.
pub struct Shell {
    state: State,
    env: Env,
    sql: Sql,
    /// The engine, and its part of the isolate's memory.
    memory: Rc<Resident>,
    /// The appends that wait for their commit.
    pub(crate) appends: Waiting,
    /// The number of bytes that the shards of the isolate may hold together.
    most_memory: usize,
    /// The requests that wait for events.
    pub(crate) readers: Readers,
    /// Whether a timer is running that will store the counts.
    saving: Rc<Cell<bool>>,
    /// When the counts were last stored without a firing.
    saved_at: Cell<UnixMillis>,
    /// Resets the object, if the runtime can.
    reset: Option<Reset>,
    /// The jurisdiction of the object, if the runtime knows it. A change of the setting does not
    /// change it.
    jurisdiction: Option<String>,
    alarm: Alarm,
    /// While the alarm handler waits: the end of the wait, and the sender that wakes the handler.
    waiting: RefCell<Option<(UnixMillis, oneshot::Sender<()>)>>,
    /// Whether the alarm handler is running, and will check for further work before it ends.
    running: Cell<bool>,
}

impl Shell {
    /// Creates the shell without reading anything. The first event loads the shard.
    pub fn new(state: State, env: Env) -> Self {
        let state = state._inner();
        let reset = Reset::of(state.as_ref()).ok();
        if is_reborn(state.as_ref()).unwrap_or(false)
            && let Some(reset) = &reset
        {
            worker::console_error!("a shard has outlived its program, and is reset");
            reset.soon();
        }
        let jurisdiction = jurisdiction_of(state.as_ref());
        let state = State::from(state);
        let sql = Sql::new(state.storage());
        let id = state.id();
        let memory = Resident::enter(id.to_string(), id.name().as_deref());
        Self {
            alarm: Alarm::new(&state, Rc::clone(&memory.engine)),
            memory,
            state,
            most_memory: isolate_bytes(&env),
            env,
            sql,
            appends: Waiting::default(),
            readers: Readers::default(),
            saving: Rc::default(),
            saved_at: Cell::new(UnixMillis::ZERO),
            reset,
            jurisdiction,
            waiting: RefCell::new(None),
            running: Cell::new(false),
        }
    }

    /// Handles one input: loads the engine if necessary, calls it, and applies its writes in one
    /// transaction. Returns the effects that remain. If an error may have left the memory and the
    /// storage different, it drops the engine, and the next input loads the shard again.
    pub(crate) fn input<T>(
        &self,
        call: impl FnOnce(&mut Engine, UnixMillis, &Sql) -> Result<(T, Effects), EngineError>,
    ) -> Result<(T, Effects), EngineError> {
        let mut slot = self.memory.engine.borrow_mut();
        let outcome = self.loaded(&mut slot).and_then(|engine| {
            let now = now();
            let observed = engine.observe(now);
            engine.observe_isolate(self.memory.account.of_isolate(self.most_memory));
            engine.check_memory()?;
            self.sql.apply(observed.writes)?;
            let (reply, mut effects) = call(engine, now, &self.sql)?;
            engine.check_memory()?;
            self.sql.apply(std::mem::take(&mut effects.writes))?;
            if engine.is_unsaved() && now.since(self.saved_at.get()) >= SAVE_MILLIS {
                let saved = engine.save();
                engine.check_memory()?;
                self.sql.apply(saved.writes)?;
                self.saved_at.set(now);
            }
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
                self.memory.account.note(engine);
            }
            None => self.memory.account.clear(),
        }
        if slot.as_ref().is_some_and(Engine::is_unsaved) && !self.saving.replace(true) {
            self.save_later();
        }
        outcome
    }

    fn save_later(&self) {
        let (sql, engine, saving) =
            (self.sql.clone(), self.memory.engine.clone(), self.saving.clone());
        self.state.wait_until(async move {
            sleep(Duration::from_millis(SAVE_MILLIS.unsigned_abs())).await;
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
    /// handler is running. It does not change an alarm that is too early, because an unneeded
    /// wake-up costs less than a row. It never fails: see [`crate::alarm`].
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
                // The handler may have stopped waiting.
                let _ = waker.send(());
            }
            return;
        }
        if self.alarm.armed().is_none_or(|armed| armed > wanted) {
            self.alarm.set(&self.state, wanted).await;
        }
    }

    /// Records that no alarm is set and no handler is running, because either would have handled
    /// the overdue work.
    pub(crate) fn forget_alarm(&self) {
        self.alarm.forget();
        self.running.set(false);
    }

    /// Returns whether the engine is in memory.
    pub(crate) fn is_loaded(&self) -> bool {
        self.memory.engine.borrow().is_some()
    }

    /// Returns when the stored alarm goes off, if one is set.
    pub(crate) async fn stored_alarm(&self) -> Option<UnixMillis> {
        self.alarm.stored().await
    }

    fn next_wakeup(&self) -> Result<Option<UnixMillis>, EngineError> {
        self.input(|engine, _, _| Ok((engine.next_wakeup(), Effects::default())))
            .map(|(next, _)| next)
    }

    /// Handles the alarm: dispatches the due tasks, and continues while more tasks are due soon. It
    /// never fails, because the platform drops an alarm after six errors.
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

    /// Dispatches the due tasks, and continues while the next firing is within `stay` milliseconds.
    async fn run(&self, stay: i64) -> Result<(), EngineError> {
        let mut began = now();
        if let Some(engine) = self.memory.engine.borrow_mut().as_mut() {
            engine.meter_mut().shard_requests += 1;
        }
        let name = self.state.id().name().unwrap_or_default();
        let jurisdiction = self.jurisdiction.as_deref();
        let visibility_millis = settings::visibility_millis(&self.env);
        let guard = self.reset.as_ref().map(|reset| reset.guard(GUARD));
        let mut lines = Lines::default();
        let mut answers = Answers::new();
        let mut asking = 0_usize;
        let mut is_first = true;
        loop {
            let round = now();
            guard_for(guard.as_ref(), Duration::ZERO);
            if lines.has_room() {
                // An answer ends the wait of a round, too. But the engine is woken only at the time
                // for which it asked, so that tasks gather until the next firing and share an
                // envelope.
                if is_first || self.next_wakeup()?.is_some_and(|at| at <= now()) {
                    is_first = false;
                    let (repeats, effects) = self.input(|engine, now, sql| {
                        let effects = engine.wake(now, sql)?;
                        Ok((Repeats::among(&effects.writes, visibility_millis), effects))
                    })?;
                    asking += effects.asks.len();
                    let asks = effects
                        .asks
                        .into_iter()
                        .map(|ask| limiter_client::ask(&self.env, &name, jurisdiction, ask));
                    answers.extend(asks.map(|ask| ask.map(Received::Limit).boxed_local()));
                    lines.add(effects.sends, &repeats);
                }
                self.arm_before_work(stay, asking > 0).await?;
            }
            let started = lines.start(now());
            answers.extend(
                started
                    .into_iter()
                    .map(|batch| sends::send(&self.env, batch).map(Received::Sent).boxed_local()),
            );
            self.note_sends(lines.give_up(now()))?;
            // If the clock steps back, the run does not get longer.
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
                let Some(next) = next else { return Ok(()) };
                guard_for(guard.as_ref(), until(next));
                self.wait_until(next).await;
            } else {
                let look = next
                    .into_iter()
                    .chain(lines.next_look())
                    .min()
                    .unwrap_or_else(|| now().plus(AWAIT_ANSWER_MILLIS));
                guard_for(guard.as_ref(), until(look));
                for answer in self.await_answers(look, &mut answers).await {
                    asking -= usize::from(matches!(answer, Received::Limit(_)));
                    self.take_answer(answer, &mut lines)?;
                }
            }
            // Each round yields to other work for a moment, whatever the engine asks for.
            if now() <= round {
                sleep(Duration::from_millis(1)).await;
            }
        }
        // The next run continues with the envelopes that no queue has answered.
        self.note_sends(lines.cut_off())?;
        // The run waits for the limiters' answers, because a limiter has already recorded the
        // leases.
        guard_for(guard.as_ref(), limiter_client::TRY);
        while asking > 0
            && let Some(received) = answers.next().await
        {
            asking -= usize::from(matches!(received, Received::Limit(_)));
            self.take_answer(received, &mut lines)?;
        }
        Ok(())
    }

    /// Sets the alarm before the work of a round that can fail (invariant 4).
    async fn arm_before_work(&self, stay: i64, is_asking: bool) -> Result<(), EngineError> {
        let next = self.next_wakeup()?.unwrap_or(UnixMillis::NEVER);
        let is_near = next <= now().plus(stay) || is_asking;
        let wanted = if is_near { now().plus(SAFETY_MILLIS) } else { next };
        let armed = self.alarm.armed();
        let suffices = armed.is_some_and(|armed| armed <= wanted && armed > now().plus(stay));
        if wanted != UnixMillis::NEVER && !suffices {
            self.alarm.set(&self.state, wanted).await;
        }
        Ok(())
    }

    /// Waits for the next answer, at most until `until`. Returns it with all others that have
    /// arrived by then.
    async fn await_answers(&self, until: UnixMillis, answers: &mut Answers<'_>) -> Vec<Received> {
        let wait = std::pin::pin!(self.wait_until(until));
        let mut next = match select(wait, answers.next()).await {
            Either::Left(_) => None,
            Either::Right((next, _)) => next,
        };
        self.waiting.take();
        let mut received = Vec::new();
        while let Some(answer) = next {
            received.push(answer);
            next = answers.next().now_or_never().flatten();
        }
        received
    }

    fn take_answer(&self, received: Received, lines: &mut Lines) -> Result<(), EngineError> {
        match received {
            Received::Sent((number, outcome)) => self.note_sends(lines.ended(number, &outcome)),
            Received::Limit(reply) => self
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

    /// Reports the outcomes of envelopes to the engine.
    fn note_sends(&self, outcomes: Vec<(EnvelopeSeq, Outcome)>) -> Result<(), EngineError> {
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
                            "envelope {seq} was not accepted: {problem}; it will be sent again"
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
        // A time in the past means soon, but never at once, which would starve everything else in
        // the process.
        let wait = self::until(until).max(Duration::from_millis(1));
        // The handler no longer waits, whether it was woken or the time has passed.
        let _ = within(wait, woken).await;
        self.waiting.take();
    }
}

/// Returns how long it is until `time`, which may have passed.
fn until(time: UnixMillis) -> Duration {
    Duration::from_millis(u64::try_from(time.since(now())).unwrap_or(0))
}

/// Extends the guard past `wait`, for which the handler waits from now on.
fn guard_for(guard: Option<&Guard<'_>>, wait: Duration) {
    if let Some(guard) = guard {
        guard.extend_past(wait);
    }
}
