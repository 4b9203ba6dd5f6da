//! Reading a request's body up to a limit.

use futures::StreamExt;
use worker::Request;

/// Returns the length that a request announces of its body, bytes.
fn announced(request: &Request) -> worker::Result<Option<usize>> {
    Ok(request.headers().get("content-length")?.and_then(|length| length.parse().ok()))
}

/// Why a body was not read.
#[derive(Debug)]
pub enum Unread<E> {
    /// It is longer than the limit.
    TooLong,
    /// The caller has no room for it.
    NoRoom(E),
    /// The platform cannot read it: the connection was cut.
    Cut(worker::Error),
}

impl<E> From<worker::Error> for Unread<E> {
    fn from(problem: worker::Error) -> Self {
        Self::Cut(problem)
    }
}

/// Reads a request's body of `limit` bytes at most. No more of it is held than the limit and a chunk, whether or not the request announces its
/// length. `has_room` is asked before so many bytes are held: once for a length that is announced, else for each chunk.
///
/// # Errors
/// See [`Unread`].
pub async fn read_body<E>(
    request: &mut Request,
    limit: usize,
    mut has_room: impl FnMut(usize) -> Result<(), E>,
) -> Result<Vec<u8>, Unread<E>> {
    match announced(request)? {
        Some(bytes) if bytes > limit => return Err(Unread::TooLong),
        // The platform reads no more than what is announced. One step, where a stream takes one for each chunk.
        Some(bytes) => {
            has_room(bytes).map_err(Unread::NoRoom)?;
            let body = request.bytes().await?;
            return if body.len() <= limit { Ok(body) } else { Err(Unread::TooLong) };
        }
        None if request.inner().body().is_none() => return Ok(Vec::new()),
        None => {}
    }
    let mut body = Vec::new();
    let mut chunks = request.stream()?;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        if chunk.len() > limit.saturating_sub(body.len()) {
            return Err(Unread::TooLong);
        }
        has_room(body.len() + chunk.len()).map_err(Unread::NoRoom)?;
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
