//! The type of a route.

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

/// The prefixes of the paths whose ids may contain a slash. Any other id is one segment.
const BEFORE_IDS_WITH_SLASHES: [&str; 3] = ["/v1/tasks/", "/v1/dead-letters/", "/v1/limits/"];

/// Answers a request. The second argument is the name in the path, which is empty if the path has
/// none.
pub(crate) type Handler =
    for<'a> fn(Call<'a>, String) -> LocalBoxFuture<'a, Result<Answer, Problem>>;

/// The callers that a route admits.
pub(crate) enum Access {
    /// Every caller, without a key. The argument is the name in the path.
    Open(fn(&str) -> Result<Answer, Problem>),
    /// Every caller with a key.
    Key(Handler),
    /// A caller with a key for the namespace. The handler checks the scopes.
    Namespace(Handler),
    /// A caller with a key that has the scope.
    Scope(Scope, Handler),
}

/// A method on a path. Matching, dispatch, `Allow`, scopes and the API's document follow from the
/// table of routes.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// The path, with the variable name in braces, as in the API's document.
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    /// The largest body that the route accepts, in bytes.
    pub(crate) body_limit: usize,
    pub(crate) conditions: Conditions,
    pub(crate) repeats: Repeats,
    /// The names of the query's parameters. Any other parameter is refused.
    pub(crate) query: &'static [&'static str],
    /// The route's description in the API's document.
    #[cfg(test)]
    pub(crate) operation: Operation,
}

impl Route {
    /// Returns a route that needs a key. By default, reads ignore conditions and changes refuse
    /// them.
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

    /// Returns a route that every key may read.
    pub(super) const fn of_any_key(path: &'static str, handler: Handler) -> Self {
        Self { access: Access::Key(handler), ..Self::new(Method::Get, path, Scope::Read, handler) }
    }

    /// Returns a route for every key. Its handler checks the scopes of what a request asks for.
    pub(super) const fn of_namespace(method: Method, path: &'static str, handler: Handler) -> Self {
        Self {
            access: Access::Namespace(handler),
            ..Self::new(method, path, Scope::Write, handler)
        }
    }

    /// Returns a route that every caller may read.
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

    /// Returns the parts of the path before and after the id.
    fn template(&self) -> Option<(&'static str, &'static str)> {
        let (before, rest) = self.path.split_once('{')?;
        let (_, behind) = rest.split_once('}')?;
        Some((before, behind))
    }

    /// Returns whether the path continues after the name.
    pub(super) fn is_part(&self) -> bool {
        self.template().is_some_and(|(_, behind)| !behind.is_empty())
    }

    /// Returns the name in `path`, still encoded, if `path` belongs to this route.
    pub(super) fn name_in<'a>(&self, path: &'a str) -> Option<&'a str> {
        let (before, behind) = self.template()?;
        let given = path.strip_prefix(before)?.strip_suffix(behind)?;
        (BEFORE_IDS_WITH_SLASHES.contains(&before) || !given.contains('/')).then_some(given)
    }
}
