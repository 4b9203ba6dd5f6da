//! Reads the body of a request up to a limit.

mod lines;
mod parts;
mod patience;
mod steps;

pub use lines::{Line, Part, PartBounds, Unreadable};
pub use parts::{Broken, Parts};

use futures::StreamExt;
use patience::{Patience, Platform};
use std::time::Duration;
use steps::Steps;
use worker::{Error, Request};

/// The pace that a body must keep after [`GRACE`], in bytes per millisecond. A body must keep a
/// pace, because it occupies memory that other requests wait for. It is 2.4 Mbit/s, so the largest
/// body arrives within a minute.
const PACE: usize = 300;

/// The time that a body may make its reader wait in addition to its [`PACE`].
const GRACE: Duration = Duration::from_secs(5);

/// A large body is read in steps of this many bytes, so that a stalled sender is noticed.
const STEP: usize = 1_000_000;

/// Returns how long the reader may wait for the first `bytes` of a body.
fn time_for(bytes: usize) -> Duration {
    GRACE + Duration::from_millis((bytes / PACE) as u64)
}

fn too_slow<E>() -> Unread<E> {
    Unread::TooSlow(format!(
        "the body arrives too slowly; send at least {PACE} KB/s, not counting the first {} s",
        GRACE.as_secs()
    ))
}

/// Returns the body length that a request announces, in bytes.
fn announced(request: &Request) -> worker::Result<Option<usize>> {
    Ok(request.headers().get("content-length")?.and_then(|length| length.parse().ok()))
}

/// Why a body was not read.
#[derive(Debug)]
pub enum Unread<E> {
    /// The body is longer than the limit.
    TooLong,
    /// The caller has no memory for the body.
    NoRoom(E),
    /// The body did not arrive in time. The text states the required pace.
    TooSlow(String),
    /// The platform cannot read the body, because the connection was cut.
    Cut(worker::Error),
}

impl<E> From<worker::Error> for Unread<E> {
    fn from(problem: worker::Error) -> Self {
        Self::Cut(problem)
    }
}

/// Reads the body of a request, up to `limit` bytes. Holds at most the limit and one chunk, whether
/// or not the request announces its length. Calls `has_room` before it holds bytes: once if the
/// length is announced, otherwise for each chunk.
///
/// # Errors
/// See [`Unread`].
pub async fn read_body<E>(
    request: &mut Request,
    limit: usize,
    mut has_room: impl FnMut(usize) -> Result<(), E>,
) -> Result<Vec<u8>, Unread<E>> {
    let mut patience = Patience::new(Platform);
    match announced(request)? {
        Some(bytes) if bytes > limit => return Err(Unread::TooLong),
        // The platform reads no more than the announced length.
        Some(bytes) => {
            has_room(bytes).map_err(Unread::NoRoom)?;
            let body = if bytes <= STEP {
                let whole = patience.wait(time_for(bytes), request.bytes());
                whole.await.ok_or_else(too_slow)??
            } else {
                read_in_steps(request, bytes, &mut patience).await?
            };
            return if body.len() <= limit { Ok(body) } else { Err(Unread::TooLong) };
        }
        None if request.inner().body().is_none() => return Ok(Vec::new()),
        None => {}
    }
    let mut body = Vec::new();
    let mut chunks = request.stream()?;
    while let Some(chunk) =
        patience.wait(time_for(body.len()), chunks.next()).await.ok_or_else(too_slow)?
    {
        let chunk = chunk?;
        if chunk.len() > limit.saturating_sub(body.len()) {
            return Err(Unread::TooLong);
        }
        has_room(body.len() + chunk.len()).map_err(Unread::NoRoom)?;
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads a body of `bytes` in steps of [`STEP`], which takes fewer turns of the event loop than
/// reading its chunks. Each step must arrive in time.
async fn read_in_steps<E>(
    request: &Request,
    bytes: usize,
    patience: &mut Patience<Platform>,
) -> Result<Vec<u8>, Unread<E>> {
    let stream = request.inner().body().ok_or_else(|| Error::from("the request has no body"))?;
    let mut steps = Steps::of(&stream, STEP)?;
    let mut body = Vec::with_capacity(bytes);
    while body.len() < bytes {
        let wanted = STEP.min(bytes - body.len());
        let limit = time_for(body.len() + wanted);
        let step = patience.wait(limit, steps.read(wanted, &mut body));
        if !step.await.ok_or_else(too_slow)?? {
            break;
        }
    }
    Ok(body)
}
