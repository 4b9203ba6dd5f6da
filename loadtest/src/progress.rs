//! Shows progress bars on the terminal for scheduled and received tasks. Without a terminal, it
//! draws nothing.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;

use crate::session::Session;

const TICK: Duration = Duration::from_millis(200);

/// The bars of a run, which are cleared when this is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bars: MultiProgress,
    ticking: JoinHandle<()>,
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.ticking.abort();
        let _ = self.bars.clear();
    }
}

impl Progress {
    /// Shows the progress of `session` until this is dropped.
    pub(crate) fn start(session: &Arc<Session>, quiet: bool) -> Self {
        let bars = MultiProgress::with_draw_target(target(quiet));
        let total = u64::from(session.settings.tasks);
        let scheduled = bars.add(bar("scheduled", total));
        let received = bars.add(bar("received", total));
        let session = Arc::clone(session);
        let ticking = tokio::spawn(async move {
            loop {
                scheduled.set_position(session.scheduling.answered.load(Ordering::Relaxed));
                let count = session.ledger.lock().received();
                // Recurring tasks and overwrites cause more firings than there are tasks.
                received.set_length(total.max(count));
                received.set_position(count);
                tokio::time::sleep(TICK).await;
            }
        });
        Self { bars, ticking }
    }
}

/// Returns the place where bars are drawn.
pub(crate) fn target(quiet: bool) -> ProgressDrawTarget {
    if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() }
}

/// Returns a bar with a name, a count and a rate.
pub(crate) fn bar(name: &'static str, total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{prefix:>10} {bar:40} {human_pos}/{human_len} {per_sec:>14} {elapsed}",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style).with_prefix(name)
}
