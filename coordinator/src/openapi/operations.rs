//! Every route with what it takes and answers.

use super::answers::{BatchReply, CancelledMany, CancelledOne, Health, Stats, Task, TaskList};
use super::{name_of, problems};
use crate::answer::Problem;
use crate::routes::Route;
use schemars::{Schema, SchemaGenerator};

/// What a request carries.
pub(super) enum Body {
    Task,
    Batch,
    Cancel,
}

type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A method on a path.
pub(super) struct Operation {
    /// The variant of [`Route`].
    #[cfg_attr(not(test), expect(dead_code, reason = "tests hold the table against the router with it"))]
    pub(super) route: &'static str,
    pub(super) id: &'static str,
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    /// Asks for no key.
    pub(super) open: bool,
    /// Takes the filter, limit and cursor.
    pub(super) takes_query: bool,
    pub(super) body: Option<Body>,
    /// Status, description and schema.
    pub(super) answers: &'static [(u16, &'static str, SchemaOf)],
    /// Names of refusals beside [`EVERYWHERE`].
    pub(super) refusals: &'static [&'static str],
}

/// How every operation that asks for a key may be refused: by the key, the settings, and the shards.
const EVERYWHERE: [&str; 4] = ["unauthorized", "misconfigured", "overloaded", "unavailable"];

impl Operation {
    /// The refusals that can occur.
    pub(super) fn problems(&self) -> impl Iterator<Item = Problem> {
        let common = if self.open { &[][..] } else { &EVERYWHERE };
        problems().into_iter().filter(move |problem| {
            let name = name_of(problem);
            common.contains(&name.as_str()) || self.refusals.contains(&name.as_str())
        })
    }
}
