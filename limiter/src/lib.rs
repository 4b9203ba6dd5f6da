//! The Durable Object around [`scheduler_engine::limiter::Limiter`], which divides the limits of
//! some keys of a namespace among its shards.
//!
//! In scope: loading the limiter from SQL, applying its writes, the requests of
//! [`scheduler_model::protocol::limiter::paths`], and holding the request of a shard that waits for
//! a slot. Not in scope: the division itself, which the limiter decides; and the permission to
//! change limits, which the coordinator checks before it sends a request.

use futures::channel::oneshot;
use scheduler_engine::limiter::{HOLD_MILLIS, Limiter, Write};
use scheduler_model::protocol::limiter::{LimiterRequest, Named, Refused, Seen, paths};
use scheduler_platform::entries::{self, Entries, read, written};
use scheduler_platform::{now, random_bytes, within};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;
use worker::{Request, Response, Result, State};

/// The storage of the limiter, and the limiter while it is loaded.
pub struct Shell {
    entries: Entries,
    limiter: RefCell<Option<Limiter>>,
    /// The requests that wait for a slot, by key. They are notified when a slot of their key may
    /// have become free.
    waiting: RefCell<BTreeMap<String, Vec<oneshot::Sender<()>>>>,
}

type Failure = entries::Failure<Refused>;

impl Shell {
    /// Creates the object without reading anything. The first request loads the limiter.
    pub fn new(state: &State) -> Self {
        Self {
            entries: Entries::of(state),
            limiter: RefCell::new(None),
            waiting: RefCell::default(),
        }
    }

    /// Answers a request.
    ///
    /// # Errors
    /// Returns an error if the platform cannot read the request or create a response.
    pub async fn fetch(&self, mut request: Request) -> Result<Response> {
        let body = request.bytes().await?;
        let outcome = match request.path().as_str() {
            paths::ASK => self.answer_ask(&body).await,
            path => self.answer(path, &body),
        };
        entries::respond("limiter", outcome, || drop(self.limiter.take()))
    }

    /// Answers the request of a shard. If no slot is free, the request waits here, so that a slot
    /// is used again as soon as any shard returns it.
    async fn answer_ask(&self, body: &[u8]) -> Result<Vec<u8>, Failure> {
        let asked: LimiterRequest = read(body)?;
        let end = now().plus(HOLD_MILLIS);
        loop {
            let answer = self.change(&asked.key, |limiter| limiter.ask(&asked, now()))?;
            // This bounds the wait even if the clock steps back.
            let left = u64::try_from(end.since(now()).min(HOLD_MILLIS)).unwrap_or(0);
            if left == 0 || answer.is_none_or(|answer| !answer.lacks_slots(&asked.ask)) {
                return written(&answer);
            }
            let (sender, freed) = oneshot::channel();
            self.waiting.borrow_mut().entry(asked.key.clone()).or_default().push(sender);
            // The limiter is asked again, whether the request was notified or has timed out.
            let _ = within(Duration::from_millis(left), freed).await;
            self.forget_ended(&asked.key);
        }
    }

    /// Removes the requests that no longer wait for `key`.
    fn forget_ended(&self, key: &str) {
        let mut waiting = self.waiting.borrow_mut();
        let Some(of_key) = waiting.get_mut(key) else { return };
        of_key.retain(|sender| !sender.is_canceled());
        if of_key.is_empty() {
            waiting.remove(key);
        }
    }

    fn answer(&self, path: &str, body: &[u8]) -> Result<Vec<u8>, Failure> {
        match path {
            paths::PUT => {
                let named: Named = read(body)?;
                let key = named.key.clone();
                let is_new = self.change(&key, |limiter| match limiter.put(named, now()) {
                    Ok((is_new, write)) => (Ok(is_new), vec![write]),
                    Err(refused) => (Err(Failure::Refused(refused)), Vec::new()),
                })?;
                written(&is_new?)
            }
            paths::DELETE => {
                let key: String = read(body)?;
                let was_there = self.change(&key, |limiter| {
                    let write = limiter.delete(&key);
                    (write.is_some(), Vec::from_iter(write))
                })?;
                written(&was_there)
            }
            paths::GET => {
                let key: String = read(body)?;
                written(&self.with(|limiter| (limiter.get(&key), Vec::new()))?)
            }
            paths::LIST => written(&self.with(|limiter| (limiter.list(), Vec::new()))?),
            paths::SEEN => written(&self.with(|limiter| (limiter.seen(), Vec::new()))?),
            paths::CLEAR => {
                let seen: Option<Seen> = read(body)?;
                match seen {
                    Some(seen) => written(&self.with(|limiter| {
                        let write = limiter.clear_as_seen(seen);
                        (write.is_some(), Vec::from_iter(write))
                    })?),
                    None => written(&self.with(|limiter| ((), vec![limiter.clear()]))?),
                }
            }
            other => Err(Failure::Request(format!("a limiter has no {other}"))),
        }
    }

    /// Handles one input about `key`, and notifies its waiting requests if there are writes,
    /// because the writes may have freed slots.
    fn change<T>(
        &self,
        key: &str,
        call: impl FnOnce(&mut Limiter) -> (T, Vec<Write>),
    ) -> Result<T, Failure> {
        let (answer, is_changed) = self.with(|limiter| {
            let (answer, writes) = call(limiter);
            ((answer, !writes.is_empty()), writes)
        })?;
        if is_changed {
            for waiting in self.waiting.borrow_mut().remove(key).unwrap_or_default() {
                // The receiver may have been dropped.
                let _ = waiting.send(());
            }
        }
        Ok(answer)
    }

    /// Handles one input: loads the limiter if necessary, calls it, and applies its writes.
    fn with<T>(&self, call: impl FnOnce(&mut Limiter) -> (T, Vec<Write>)) -> Result<T, Failure> {
        let mut slot = self.limiter.borrow_mut();
        let limiter = match slot.as_mut() {
            Some(limiter) => limiter,
            None => slot.insert(self.load()?),
        };
        let (answer, writes) = call(limiter);
        // There is no await between the writes, so they are one transaction.
        writes.into_iter().try_for_each(|write| self.apply(write))?;
        Ok(answer)
    }

    fn load(&self) -> Result<Limiter, Failure> {
        let random = random_bytes()
            .map_err(|problem| Failure::Storage(format!("no random numbers: {problem}")))?;
        let nonce = u64::from_le_bytes(*random.first_chunk().unwrap_or(&[0; 8]));
        Limiter::load(self.entries.load()?, nonce).map_err(Failure::Storage)
    }

    fn apply(&self, write: Write) -> Result<(), Failure> {
        match write {
            Write::Put { name, record } => self.entries.put(name, record)?,
            Write::Delete { name } => self.entries.delete(name)?,
            Write::Clear => self.entries.clear()?,
        }
        Ok(())
    }
}
