//! The attribute `#[task]`: an async function as a handler, with its retries and its schedule
//! beside it. It is used by its name in `scheduler_dispatcher`, where the trait that it implements
//! is.
//!
//! In scope: reading the attribute, and refusing at compile time, with the place marked, whatever
//! the Worker would refuse when it runs. The rules are those of the core crates, so they cannot
//! differ. Not in scope: running handlers, and making their schedules; the attribute only writes
//! down what was declared.
//!
//! **Why handlers are registered by hand,** one line each, although an attribute could collect
//! them. Crates that do so (`inventory`, `linkme`) run code before `main` or gather linker
//! sections. In a Worker there is no `main`: constructors run only if something calls the module's
//! start function in the right order, sections are not kept for wasm on every toolchain, and where
//! either fails nothing fails visibly: a handler is just missing. A list in one place is also what
//! a reader looks for, and of a private function that is not on it the compiler says that it is
//! never used.
//!
//! **What it makes.** The function stays as it is and can be called and tested as such. Beside it
//! stands a type of the same name, an enum without values, which implements
//! `scheduler_dispatcher::Task`: types and functions have names of their own, so
//! `handlers.with_task::<report>()` is the type and `report(context, payload).await` the function,
//! and one `use` brings both.

mod arguments;
mod expand;
mod signature;

use proc_macro::TokenStream;

/// Makes an async function a handler that tasks may name as their callback.
///
/// ```
/// use scheduler_dispatcher::{HandlerError, Handlers, TaskContext, task};
///
/// #[derive(serde::Deserialize)]
/// struct Report {
///     customer: String,
/// }
///
/// /// Tried again up to five times, two seconds after the first failure.
/// #[task(retries = 5, min_backoff_seconds = 2)]
/// async fn report(context: TaskContext, payload: Report) -> Result<(), HandlerError> {
///     worker::console_log!("{}: a report for {}", context.id, payload.customer);
///     Ok(())
/// }
///
/// /// Every Monday at nine in London, by itself.
/// #[task(name = "weekly-sum", cron = "0 9 * * MON", timezone = "Europe/London")]
/// async fn weekly_sum(context: TaskContext) -> Result<(), HandlerError> {
///     worker::console_log!("the week up to {}", context.time);
///     Ok(())
/// }
///
/// fn handlers() -> Handlers {
///     Handlers::shipped().with_task::<report>().with_task::<weekly_sum>()
/// }
/// assert_eq!(handlers().names(), ["log", "noop", "report", "weekly-sum"]);
/// ```
///
/// # The function
/// Free, async, without generics; takes a `TaskContext` by value and, if it wants one, a payload of
/// any type that serde can deserialise into an owned value; returns `Result<(), HandlerError>`. A
/// payload that does not fit fails the task for good, without a further attempt. A task without a
/// payload has `null`: take an `Option`. So has every run by the handler's own `cron`.
///
/// # The arguments
/// All may be left out. Values are literals.
///
/// | argument | what | limit | without |
/// |---|---|---|---|
/// | `name` | the name by which tasks call it | 1 to 248 bytes, no control characters | the function's |
/// | `retries` | attempts after the first: `maxAttempts` less one | 0 to 99 | 9 |
/// | `min_backoff_seconds`, `max_backoff_seconds` | the least and the longest wait between attempts | 0 to 86,400 | 1; 3,600 |
/// | `factor` | by how much each wait is longer than the last | 1 to 100 | 2 |
/// | `jitter` | the share by which a wait differs at random | 0 to 1 | 0.2 |
/// | `max_duration_seconds` | from the due time to the last attempt | 0 to 2,592,000 | 86,400 |
/// | `timeout_seconds` | how long one attempt may wait | 1 to 60 | 60 |
/// | `cron` | when it runs by itself | as in the API | never |
/// | `timezone` | the IANA zone that `cron` is read in | as in the API | UTC |
///
/// The retry arguments are what a task gets that names the handler and has no `retry` of its own,
/// when it is created: a later change of the attribute changes new tasks only.
///
/// With `cron`, the deployed Worker keeps a recurring task `handler:<name>`; see
/// `scheduler_dispatcher::Handlers`.
#[proc_macro_attribute]
pub fn task(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::task(arguments.into(), item.into()).into()
}
