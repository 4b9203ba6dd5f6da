//! Chooses the next task to start among the waiting tasks of an invocation, by envelope and
//! destination.
//!
//! A free place goes to the namespace with the fewest running tasks. Ties are broken by the
//! destination with the fewest, then by the destination whose attempts took the least time so far,
//! then by the envelope with the fewest. So many tasks of one namespace, host or envelope take only
//! their share of the places while others wait.
//!
//! A destination is **unproven** until one of its attempts in this invocation has been answered,
//! and again after an attempt without an answer. While others wait, an unproven destination gets at
//! most [`MAX_UNPROVEN`] places, so a host that hangs holds two of the six places and the other
//! destinations use the rest. After an attempt without an answer, no task of the destination is
//! started while others of its tasks run.
//!
//! Two kinds of destinations are given up before all their tasks have been started. Their waiting
//! tasks return to the shards, which fire them again without counting an attempt:
//! - a destination with [`SILENT_IN_A_ROW`] consecutive attempts without an answer;
//! - after [`SLOW_AFTER_MILLIS`], a destination whose attempts take [`SLOW_MILLIS`] on average. It
//!   continues in another invocation, behind what waits in the queue.

use crate::plan::{Job, Plan};
use scheduler_calendar::time::UnixMillis;
use scheduler_model::namespace::Namespace;
use std::collections::{HashMap, VecDeque};

/// The number of places of an unproven destination while others wait. It is two, so that one slow
/// task of a good destination at most halves the pace of the destination, and a destination that
/// hangs holds only two of the six places.
pub(crate) const MAX_UNPROVEN: usize = 2;
/// A destination is given up after this many consecutive attempts without an answer. A single one
/// may be an accident.
pub(crate) const SILENT_IN_A_ROW: u32 = 2;
/// The time after which an invocation gives up slow destinations, in milliseconds. It is the
/// default timeout of an attempt.
pub(crate) const SLOW_AFTER_MILLIS: i64 = 30_000;
/// A destination is slow if its attempts take this many milliseconds on average. With faster tasks,
/// six places complete an envelope of a hundred tasks within a minute and a half.
pub(crate) const SLOW_MILLIS: i64 = 5_000;

/// The envelope, namespace and destination that a running task counts for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) envelope: usize,
    namespace: usize,
    destination: usize,
}

/// The waiting tasks of one envelope and one destination, in the envelope's order.
struct Group<'a> {
    place: Place,
    jobs: VecDeque<Job<'a>>,
}

/// The counts of a destination.
#[derive(Debug, Default, Clone)]
struct Destination {
    waiting: usize,
    running: usize,
    is_proven: bool,
    silent_in_a_row: u32,
    ended: i64,
    used_millis: i64,
}

impl Destination {
    /// Returns whether one more task of the destination may be started. After an attempt without an
    /// answer, the running tasks must end first: they show whether it was an accident.
    fn has_room(&self, others_wait: bool) -> bool {
        if self.silent_in_a_row > 0 {
            return self.running == 0;
        }
        self.is_proven || self.running < MAX_UNPROVEN || !others_wait
    }

    fn is_given_up(&self, is_late: bool) -> bool {
        let is_slow = self.ended > 0 && self.used_millis / self.ended >= SLOW_MILLIS;
        self.silent_in_a_row >= SILENT_IN_A_ROW || is_late && is_slow
    }
}

/// The waiting tasks, and the places in use.
pub(crate) struct Turns<'a> {
    slow_from: UnixMillis,
    groups: Vec<Group<'a>>,
    destinations: Vec<Destination>,
    /// The number of running tasks, by namespace.
    namespaces: Vec<usize>,
    /// The numbers of running and waiting tasks, by envelope.
    envelopes: Vec<(usize, usize)>,
}

impl<'a> Turns<'a> {
    /// Takes the jobs from the plans.
    pub(crate) fn new(plans: &mut [Plan<'a>], begun: UnixMillis) -> Self {
        let mut turns = Self {
            slow_from: begun.plus(SLOW_AFTER_MILLIS),
            groups: Vec::new(),
            destinations: Vec::new(),
            namespaces: Vec::new(),
            envelopes: vec![(0, 0); plans.len()],
        };
        let mut namespaces: HashMap<Namespace, usize> = HashMap::new();
        let mut destinations: HashMap<String, usize> = HashMap::new();
        for (envelope, plan) in plans.iter_mut().enumerate() {
            let next = namespaces.len();
            let namespace = *namespaces.entry(plan.shard.namespace.clone()).or_insert(next);
            let mut of_envelope: HashMap<usize, usize> = HashMap::new();
            for mut job in plan.jobs.drain(..) {
                let next = destinations.len();
                let destination =
                    *destinations.entry(std::mem::take(&mut job.destination)).or_insert(next);
                turns.destinations.resize_with(destinations.len(), Destination::default);
                let place = Place { envelope, namespace, destination };
                let group = *of_envelope.entry(destination).or_insert_with(|| {
                    turns.groups.push(Group { place, jobs: VecDeque::new() });
                    turns.groups.len() - 1
                });
                if let (Some(group), Some(of), Some((_, waiting))) = (
                    turns.groups.get_mut(group),
                    turns.destinations.get_mut(destination),
                    turns.envelopes.get_mut(envelope),
                ) {
                    group.jobs.push_back(job);
                    of.waiting += 1;
                    *waiting += 1;
                }
            }
        }
        turns.namespaces = vec![0; namespaces.len()];
        turns
    }

    /// Returns the next task, which holds a place until [`Self::end`]. Returns `None` if every
    /// waiting task must wait until others have ended.
    pub(crate) fn next(&mut self) -> Option<(Place, Job<'a>)> {
        let destinations_waiting = self.destinations.iter().filter(|of| of.waiting > 0).count();
        let candidates =
            self.groups.iter().enumerate().filter_map(|(at, Group { place, jobs })| {
                let (of, head) = (self.destinations.get(place.destination)?, jobs.front()?);
                let has_room = of.has_room(destinations_waiting > 1);
                let of_namespace = self.namespaces.get(place.namespace)?;
                let (of_envelope, _) = self.envelopes.get(place.envelope)?;
                has_room.then_some((
                    (of_namespace, of.running, of.used_millis, of_envelope, head.index),
                    at,
                ))
            });
        let (_, at) = candidates.min()?;
        let group = self.groups.get_mut(at)?;
        let (place, job) = (group.place, group.jobs.pop_front()?);
        self.count(place, |running| running + 1);
        self.forget_waiting(place);
        Some((place, job))
    }

    /// Ends the task at this place, which took `millis`. `is_silent` means that it got no answer.
    pub(crate) fn end(&mut self, place: Place, is_silent: bool, millis: i64) {
        self.count(place, |running| running.saturating_sub(1));
        let Some(of) = self.destinations.get_mut(place.destination) else { return };
        of.ended += 1;
        of.used_millis = of.used_millis.saturating_add(millis.max(0));
        of.is_proven = !is_silent;
        of.silent_in_a_row = if is_silent { of.silent_in_a_row + 1 } else { 0 };
    }

    /// Frees the place of a task that was not started after all.
    pub(crate) fn release(&mut self, place: Place) {
        self.count(place, |running| running.saturating_sub(1));
    }

    /// Removes the waiting tasks of the destinations that are given up. Returns the envelope of
    /// each, and its index there.
    pub(crate) fn given_up(&mut self, now: UnixMillis) -> Vec<(usize, u32)> {
        let is_late = now >= self.slow_from;
        let is_out: Vec<bool> =
            self.destinations.iter().map(|of| of.waiting > 0 && of.is_given_up(is_late)).collect();
        if !is_out.contains(&true) {
            return Vec::new();
        }
        self.take_out(|place| is_out.get(place.destination).copied().unwrap_or(false))
    }

    /// Removes all waiting tasks.
    pub(crate) fn rest(&mut self) -> Vec<(usize, u32)> {
        self.take_out(|_| true)
    }

    /// Returns whether no task of an envelope waits or runs any more.
    pub(crate) fn is_done(&self, envelope: usize) -> bool {
        self.envelopes.get(envelope).is_none_or(|of| *of == (0, 0))
    }

    fn take_out(&mut self, is_selected: impl Fn(Place) -> bool) -> Vec<(usize, u32)> {
        let mut taken = Vec::new();
        for group in self.groups.iter_mut().filter(|group| is_selected(group.place)) {
            taken.extend(group.jobs.drain(..).map(|job| (group.place, job.index)));
        }
        taken.iter().for_each(|(place, _)| self.forget_waiting(*place));
        taken.into_iter().map(|(place, index)| (place.envelope, index)).collect()
    }

    fn count(&mut self, place: Place, change: impl Fn(usize) -> usize) {
        let of_envelope = self.envelopes.get_mut(place.envelope).map(|(running, _)| running);
        let of_namespace = self.namespaces.get_mut(place.namespace);
        let of_destination = self.destinations.get_mut(place.destination).map(|of| &mut of.running);
        for running in [of_envelope, of_namespace, of_destination].into_iter().flatten() {
            *running = change(*running);
        }
    }

    fn forget_waiting(&mut self, place: Place) {
        let of_envelope = self.envelopes.get_mut(place.envelope).map(|(_, waiting)| waiting);
        let of_destination = self.destinations.get_mut(place.destination).map(|of| &mut of.waiting);
        for waiting in [of_envelope, of_destination].into_iter().flatten() {
            *waiting = waiting.saturating_sub(1);
        }
    }
}
