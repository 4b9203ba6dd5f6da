//! Reads a body of any length in parts.

use super::lines::{Cutter, Part, PartBounds};
use super::patience::{Patience, Platform};
use super::steps::Steps;
use super::{GRACE, PACE};
use std::time::Duration;
use worker::{Request, Result};

/// The pace that such a body must keep, in bytes per millisecond. Its parts occupy a sixth of the
/// memory of the largest batch, so it may take six times as long: 0.4 Mbit/s. Every step must keep
/// the pace by itself. Otherwise, a long body could stall for many minutes at its end.
const PART_PACE: usize = PACE / 6;

/// The bytes of a step: the longest item. A larger step would take more memory, and one of 64 KB
/// takes four times as many turns of the event loop.
const STEP: usize = 256 * 1024;

/// Why a body ends before its end.
#[derive(Debug)]
pub enum Broken {
    /// It does not arrive in time. The text states the required pace.
    TooSlow(String),
    /// The platform cannot read it, because the connection was cut.
    Cut(worker::Error),
}

/// The reader of a body with one item on each line. It reads nothing while nobody asks for a part,
/// so a sender waits until its parts are used.
pub struct Parts {
    steps: Option<Steps>,
    cutter: Cutter,
    /// What was read last, and how much of it was cut into parts.
    piece: Vec<u8>,
    at: usize,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("cutter", &self.cutter).finish_non_exhaustive()
    }
}

impl Parts {
    /// Returns a reader of the body of a request.
    ///
    /// # Errors
    /// Returns an error if something else reads the body.
    pub fn of(request: &Request, bounds: PartBounds) -> Result<Self> {
        let body = request.inner().body();
        Ok(Self {
            steps: body.map(|body| Steps::of(&body, STEP)).transpose()?,
            cutter: Cutter::new(bounds),
            piece: Vec::with_capacity(STEP),
            at: 0,
        })
    }

    /// Returns the next part, or `None` after the last one.
    ///
    /// # Errors
    /// See [`Broken`]. The lines after the last part are lost.
    pub async fn next(&mut self) -> std::result::Result<Option<Part>, Broken> {
        loop {
            let mut rest = self.piece.get(self.at..).unwrap_or_default();
            let part = self.cutter.take(&mut rest);
            self.at = self.piece.len() - rest.len();
            if part.is_some() {
                return Ok(part);
            }
            self.piece.clear();
            self.at = 0;
            let Some(steps) = &mut self.steps else { return Ok(self.cutter.finish()) };
            let read = in_time(steps.read(STEP, &mut self.piece)).await;
            if !read.as_ref().is_ok_and(|goes_on| *goes_on) {
                self.steps = None;
            }
            read?;
        }
    }

    /// Reads the rest of the body, and drops it. While a sender is still sending, it may not read
    /// an answer, and it loses the answer if the connection is closed.
    pub async fn drop_rest(&mut self) {
        while let Some(steps) = &mut self.steps {
            if !in_time(steps.skip(STEP)).await.is_ok_and(|goes_on| goes_on) {
                self.steps = None;
            }
        }
    }

    /// Returns the number of lines that were read, with blank ones.
    pub fn lines_read(&self) -> u64 {
        self.cutter.ended()
    }
}

/// Waits for a step of the body.
async fn in_time(step: impl Future<Output = Result<bool>>) -> std::result::Result<bool, Broken> {
    let limit = GRACE + Duration::from_millis((STEP / PART_PACE) as u64);
    let slow = || {
        Broken::TooSlow(format!(
            "the body arrives too slowly; send at least {PART_PACE} KB/s, and pause for {} s at most",
            GRACE.as_secs()
        ))
    };
    let step = Patience::new(Platform).wait(limit, step).await;
    step.ok_or_else(slow)?.map_err(Broken::Cut)
}
