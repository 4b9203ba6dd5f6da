//! Reading a request's body up to a limit.

use futures::StreamExt;
use worker::{Request, Result};

/// Returns the length that a request announces of its body, bytes.
///
/// # Errors
/// When the platform cannot read the header.
pub fn announced(request: &Request) -> Result<Option<usize>> {
    Ok(request.headers().get("content-length")?.and_then(|length| length.parse().ok()))
}

/// Reads a request's body; `None` if it is longer than `limit`. No more of it is held than the limit and a chunk, whether or not the request
/// announces its length.
///
/// # Errors
/// When the platform cannot read it: the connection was cut.
pub async fn read_body(request: &mut Request, limit: usize) -> Result<Option<Vec<u8>>> {
    match announced(request)? {
        Some(bytes) if bytes > limit => return Ok(None),
        // The platform reads no more than what is announced. One step, where a stream takes one for each chunk.
        Some(_) => {
            let body = request.bytes().await?;
            return Ok((body.len() <= limit).then_some(body));
        }
        None if request.inner().body().is_none() => return Ok(Some(Vec::new())),
        None => {}
    }
    let mut body = Vec::new();
    let mut chunks = request.stream()?;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        if chunk.len() > limit.saturating_sub(body.len()) {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}
