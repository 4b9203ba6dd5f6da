//! Reports the task that panics, before the program ends.
//!
//! A panic ends the program of the isolate, with every other task that it runs. Nobody would report
//! the envelope, and its tasks would run again. But the hook of a panic runs before the end. It
//! knows which task was polled, and sends a last report: this task has failed, and the tasks that
//! had not ended were not started. The runtime owns the request, and completes it without the
//! program.

use scheduler_platform::first_at_end;
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;

/// A function that is called with the message of the panic when a task panics.
pub(crate) type LastWords = Rc<dyn Fn(&str)>;

thread_local! {
    /// The last words of the task that is being polled.
    static POLLED: RefCell<Option<LastWords>> = const { RefCell::new(None) };
}

/// Runs `task`. If it panics, `last_words` is called.
pub(crate) async fn watched<T>(last_words: Option<LastWords>, task: impl Future<Output = T>) -> T {
    let mut task = pin!(task);
    poll_fn(|context| {
        let outer = POLLED.replace(last_words.clone());
        let polled = task.as_mut().poll(context);
        POLLED.set(outer);
        polled
    })
    .await
}

/// Registers a hook that calls the last words of the task that panics.
pub(crate) fn listen() {
    first_at_end(|panic| {
        // A panic within a panic would end the program before anything is sent.
        let last_words = POLLED.with(|polled| polled.try_borrow_mut().ok()?.take());
        if let Some(last_words) = last_words {
            last_words(&panic.replace('\n', " "));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn only_the_task_that_panics_has_last_words() {
        listen();
        listen();
        let said = Rc::new(RefCell::new(Vec::new()));
        let words = |name: &'static str| -> Option<LastWords> {
            let said = Rc::clone(&said);
            Some(Rc::new(move |panic: &str| said.borrow_mut().push(format!("{name}: {panic}"))))
        };
        let inner = watched(words("inner"), async { 1 });
        assert_eq!(block_on(watched(words("outer"), async { inner.await + 1 })), 2);
        let outer = watched(words("outer"), async {
            watched(words("before"), async {}).await;
            assert_eq!(1, 2, "one is not two");
        });
        assert!(catch_unwind(AssertUnwindSafe(|| block_on(outer))).is_err());
        // A panic outside of a task says nothing.
        assert!(catch_unwind(|| assert_eq!(1, 2)).is_err());
        let said = said.borrow();
        let [said] = said.as_slice() else { panic!("{said:?}") };
        assert!(said.starts_with("outer: panicked at "), "{said}");
        assert!(said.contains("one is not two") && !said.contains('\n'), "{said}");
    }
}
