//! Compares attempts with a filter.

use super::pattern::ErrorText;
use crate::format::history::Run;
use crate::protocol::RunFilter;
use scheduler_calendar::time::UnixMillis;

/// A filter that is prepared for many comparisons.
#[derive(Debug)]
pub struct RunMatcher<'f> {
    filter: &'f RunFilter,
    error: Option<ErrorText>,
    /// The type of the callback, and the host or the name.
    target: Option<(&'f str, Option<&'f str>)>,
}

impl<'f> RunMatcher<'f> {
    /// Prepares a filter.
    pub fn new(filter: &'f RunFilter) -> Self {
        let parts = |target: &'f String| match target.split_once(':') {
            Some((kind, name)) => (kind, Some(name)),
            None => (target.as_str(), None),
        };
        let error = filter.error.as_deref().map(ErrorText::new);
        Self { filter, error, target: filter.target.as_ref().map(parts) }
    }

    /// Returns whether the filter matches attempts that were reported at this time.
    pub fn is_time(&self, reported_at: UnixMillis) -> bool {
        self.filter.from.is_none_or(|from| reported_at >= from)
            && self.filter.to.is_none_or(|to| reported_at < to)
    }

    /// Returns whether the filter matches an attempt, whenever it was reported.
    pub fn is_run(&self, run: &Run<'_>) -> bool {
        let filter = self.filter;
        filter.outcomes.is_none_or(|outcomes| {
            1_u64.checked_shl(run.outcome.code().into()).is_some_and(|bit| outcomes & bit != 0)
        }) && filter.prefix.as_ref().is_none_or(|prefix| run.id.starts_with(prefix.as_str()))
            && self.target.is_none_or(|(kind, name)| {
                run.target.as_ref().is_some_and(|target| {
                    target.kind.name() == kind && name.is_none_or(|name| target.name == name)
                })
            })
            && filter.tags.iter().all(|tag| run.tags.iter().any(|of| of == tag))
            && self.error.as_ref().is_none_or(|error| error.is_in(&run.error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::history::{Outcome, Target, TargetKind};

    fn run() -> Run<'static> {
        Run {
            id: "orders/7".into(),
            time: Some(UnixMillis::new(5)),
            attempt: 1,
            outcome: Outcome::Failed,
            was_dispatched: true,
            ran: None,
            status: None,
            error: "HTTP 503 from Ärger".into(),
            excerpt: "busy".into(),
            stage: "".into(),
            target: Some(Target { kind: TargetKind::Webhook, name: "a.example".into() }),
            tags: vec!["mail".into(), "eu".into()],
            by: "".into(),
        }
    }

    #[test]
    fn every_given_part_must_match() {
        let text = |text: &str| Some(text.to_owned());
        let all = RunFilter::default();
        let bit = |outcome: Outcome| Some(1 << outcome.code());
        for (filter, is_selected) in [
            (all.clone(), true),
            (RunFilter { outcomes: bit(Outcome::Failed), ..all.clone() }, true),
            (RunFilter { outcomes: bit(Outcome::Succeeded), ..all.clone() }, false),
            (RunFilter { target: text("webhook"), ..all.clone() }, true),
            (RunFilter { target: text("webhook:a.example"), ..all.clone() }, true),
            (RunFilter { target: text("webhook:b.example"), ..all.clone() }, false),
            (RunFilter { target: text("handler"), ..all.clone() }, false),
            (RunFilter { tags: vec!["eu".to_owned()], ..all.clone() }, true),
            (RunFilter { tags: vec!["eu".to_owned(), "mail".to_owned()], ..all.clone() }, true),
            (RunFilter { tags: vec!["eu".to_owned(), "us".to_owned()], ..all.clone() }, false),
            (RunFilter { prefix: text("orders/"), ..all.clone() }, true),
            (RunFilter { prefix: text("order-"), ..all.clone() }, false),
            (RunFilter { error: text("http 503"), ..all.clone() }, true),
            (RunFilter { error: text("ÄRGER"), ..all.clone() }, true),
            (RunFilter { error: text("504"), ..all.clone() }, false),
            (RunFilter { error: text("HTTP <n>"), ..all.clone() }, false),
            (RunFilter { error: text("503"), prefix: text("x"), ..all.clone() }, false),
        ] {
            assert_eq!(RunMatcher::new(&filter).is_run(&run()), is_selected, "{filter:?}");
        }
        // An outcome of a later version cannot be requested.
        let every = RunFilter { outcomes: Some(u64::MAX), ..all };
        let later = Run { outcome: Outcome::Other(77), ..run() };
        assert!(!RunMatcher::new(&every).is_run(&later));
    }

    #[test]
    fn from_is_inclusive_and_to_is_exclusive() {
        let (from, to) = (Some(UnixMillis::new(5)), Some(UnixMillis::new(8)));
        let filter = RunFilter { from, to, ..RunFilter::default() };
        let is_time = |at| RunMatcher::new(&filter).is_time(UnixMillis::new(at));
        assert_eq!([4, 5, 7, 8].map(is_time), [false, true, true, false]);
    }
}
