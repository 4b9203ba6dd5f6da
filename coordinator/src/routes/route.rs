//! What a route is.

use crate::conditions::{Conditions, Repeats};
use crate::context::Call;
#[cfg(test)]
use crate::openapi::operation::Operation;
use crate::problem::Problem;
use crate::response::Answer;
use futures::future::LocalBoxFuture;
use scheduler_model::access::Scope;
use scheduler_model::bounds::MAX_SMALL_BODY_BYTES;
use worker::Method;

/// The paths whose ids may contain a slash. Any other id is one segment.
const BEFORE_IDS_WITH_SLASHES: [&str; 3] = ["/v1/tasks/", "/v1/dead-letters/", "/v1/limits/"];

/// Answers a request. The second argument is the name in the path; empty if the path has none.
pub(crate) type Handler =
    for<'a> fn(Call<'a>, String) -> LocalBoxFuture<'a, Result<Answer, Problem>>;

/// Who is answered.
pub(crate) enum Access {
    /// Everybody, without a key. The argument is the name in the path.
    Open(fn(&str) -> Result<Answer, Problem>),
    /// Every key.
    Key(Handler),
    /// Every key that is for the namespace. What the handler does needs scopes of its own.
    Namespace(Handler),
    /// A key with the scope.
    Scope(Scope, Handler),
}

/// A method on a path. Matching, dispatch, `Allow`, scopes and the API's document follow from the
/// table of these.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// With the name of what varies in braces, as in the API's document.
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    /// The largest body that it takes, bytes.
    pub(crate) body_limit: usize,
    pub(crate) conditions: Conditions,
    pub(crate) repeats: Repeats,
    /// The names of its query's parameters. Any other is refused.
    pub(crate) query: &'static [&'static str],
    /// What the API's document says of it.
    #[cfg(test)]
    pub(crate) operation: Operation,
}

impl Route {
    /// Makes a route that needs a key. Unless the table says otherwise, reads ignore conditions and
    /// changes refuse them.
    pub(super) const fn new(
        method: Method,
        path: &'static str,
        scope: Scope,
        handler: Handler,
    ) -> Self {
        let conditions =
            if matches!(method, Method::Get) { Conditions::Ignored } else { Conditions::Refused };
        Self {
            method,
            path,
            access: Access::Scope(scope, handler),
            body_limit: MAX_SMALL_BODY_BYTES,
            conditions,
            repeats: Repeats::Harmless,
            query: &[],
            #[cfg(test)]
            operation: Operation::USUAL,
        }
    }

    /// Makes a route that every key may read.
    pub(super) const fn of_any_key(path: &'static str, handler: Handler) -> Self {
        Self { access: Access::Key(handler), ..Self::new(Method::Get, path, Scope::Read, handler) }
    }

    /// Makes a route whose requests need scopes by what they ask for.
    pub(super) const fn of_namespace(method: Method, path: &'static str, handler: Handler) -> Self {
        Self {
            access: Access::Namespace(handler),
            ..Self::new(method, path, Scope::Write, handler)
        }
    }

    /// Makes a route that everybody may read.
    pub(super) const fn open(
        path: &'static str,
        answer: fn(&str) -> Result<Answer, Problem>,
    ) -> Self {
        Self {
            method: Method::Get,
            path,
            access: Access::Open(answer),
            body_limit: MAX_SMALL_BODY_BYTES,
            conditions: Conditions::Ignored,
            repeats: Repeats::Harmless,
            query: &[],
            #[cfg(test)]
            operation: Operation::USUAL,
        }
    }

    /// Returns the parts of its path before and after the id.
    fn template(&self) -> Option<(&'static str, &'static str)> {
        let (before, rest) = self.path.split_once('{')?;
        let (_, behind) = rest.split_once('}')?;
        Some((before, behind))
    }

    /// Returns whether its path goes on behind the name.
    pub(super) fn is_part(&self) -> bool {
        self.template().is_some_and(|(_, behind)| !behind.is_empty())
    }

    /// Returns the name in `path`, as it is written there, if that is a path of this route.
    pub(super) fn name_in<'a>(&self, path: &'a str) -> Option<&'a str> {
        let (before, behind) = self.template()?;
        let given = path.strip_prefix(before)?.strip_suffix(behind)?;
        (BEFORE_IDS_WITH_SLASHES.contains(&before) || !given.contains('/')).then_some(given)
    }
}
