//! The parts of the binary formats: bytes of a known length, numbers, counted bytes and texts.
//! Numbers of a fixed length are little-endian. [`varint`] has those of variable length.
//!
//! Each `take` function reads its part from the front of `rest` and removes it. After an error, the
//! rest is unspecified.

pub use scheduler_calendar::varint;

use varint::VarintError;

/// Why bytes do not begin with a valid part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The bytes end before the part does.
    #[error("it is cut off")]
    Length,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    Text,
    /// A number is too large for its field.
    #[error("a number is too large")]
    Number,
}

impl From<VarintError> for CodecError {
    fn from(error: VarintError) -> Self {
        match error {
            VarintError::Length => Self::Length,
            VarintError::Number => Self::Number,
        }
    }
}

/// Takes `len` bytes.
///
/// # Errors
/// Returns an error if there are fewer.
pub fn take<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], CodecError> {
    let (head, tail) = rest.split_at_checked(len).ok_or(CodecError::Length)?;
    *rest = tail;
    Ok(head)
}

/// Takes `N` bytes.
///
/// # Errors
/// Returns an error if there are fewer.
pub fn take_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], CodecError> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(CodecError::Length)?;
    *rest = tail;
    Ok(*head)
}

/// Takes bytes that follow their 32-bit count.
///
/// # Errors
/// Returns an error if there are fewer.
pub fn take_counted<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], CodecError> {
    let len = take_array(rest).map(u32::from_le_bytes)?;
    take(rest, len as usize)
}

/// Takes a number of variable length.
///
/// # Errors
/// Returns an error if there is none, or if it does not fit a `T`.
pub fn take_number<T: TryFrom<u64>>(rest: &mut &[u8]) -> Result<T, CodecError> {
    T::try_from(varint::take(rest)?).map_err(|_| CodecError::Number)
}

/// Takes a signed number of variable length.
///
/// # Errors
/// Returns an error if there is none.
pub fn take_signed(rest: &mut &[u8]) -> Result<i64, CodecError> {
    Ok(varint::take_signed(rest)?)
}

/// Takes a text that follows its length in bytes, a number of variable length.
///
/// # Errors
/// Returns an error if there is no valid text.
pub fn take_text<'a>(rest: &mut &'a [u8]) -> Result<&'a str, CodecError> {
    let len = take_number(rest)?;
    std::str::from_utf8(take(rest, len)?).map_err(|_| CodecError::Text)
}

/// Appends bytes after their 32-bit count. Assumes that the count fits 32 bits, because every part
/// of a message comes from a request of at most [`crate::bounds::MAX_REQUEST_BYTES`].
pub fn put_counted(bytes: &[u8], out: &mut Vec<u8>) {
    put_count(bytes.len(), out);
    out.extend_from_slice(bytes);
}

/// Appends a count of parts. Assumes that it fits 32 bits, as [`put_counted`] does.
pub fn put_count(count: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

/// Appends a text after its length in bytes, a number of variable length.
pub fn put_text(text: &str, out: &mut Vec<u8>) {
    varint::put(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}
