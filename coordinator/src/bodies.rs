//! The memory that large bodies take, of which all requests of an instance have a share: see [`Bodies`].

use crate::problem::Problem;
use scheduler_model::access::Bodies;
use scheduler_model::namespace::Namespace;
use scheduler_platform::settings::isolate_bytes;
use std::cell::RefCell;
use worker::Env;

thread_local! {
    /// The bodies of all requests of this instance.
    static BODIES: RefCell<Bodies> = const { RefCell::new(Bodies::NONE) };
}

/// What the body of a request takes, until that is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    namespace: String,
    bytes: usize,
}

impl Held {
    /// Counts a body of so many bytes, if it is a large one, or refuses it. Bodies may take as much as the shards of an isolate.
    pub(crate) fn take(namespace: &Namespace, bytes: usize, env: &Env) -> Result<Option<Self>, Problem> {
        if !Bodies::counts(bytes) {
            return Ok(None);
        }
        let (namespace, most) = (namespace.as_str(), isolate_bytes(env));
        if !BODIES.with_borrow_mut(|bodies| bodies.take(namespace, bytes, most)) {
            return Err(Problem::crowded());
        }
        Ok(Some(Self { namespace: namespace.to_owned(), bytes }))
    }

    /// Counts the body anew, of which so many bytes have come, or refuses it.
    pub(crate) fn grow(&mut self, bytes: usize, env: &Env) -> Result<(), Problem> {
        let most = isolate_bytes(env);
        let more = bytes.saturating_sub(self.bytes);
        if !BODIES.with_borrow_mut(|bodies| bodies.take(&self.namespace, more, most)) {
            return Err(Problem::crowded());
        }
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        BODIES.with_borrow_mut(|bodies| bodies.give_back(&self.namespace, self.bytes));
    }
}
