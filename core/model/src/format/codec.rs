//! The parts of which the binary formats consist: bytes of a known number, numbers, counted bytes
//! and texts. Numbers of a fixed length are little-endian; [`varint`] has those of variable length.
//!
//! Each `take` function takes its part off the front of `rest`. After an error, what is left of
//! `rest` is not specified.

pub use scheduler_calendar::varint;

use varint::VarintError;

/// Why bytes do not begin with a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// They end before the part does.
    #[error("it is cut off")]
    Length,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    Text,
    /// A number is larger than the field that it is for.
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
/// If there are fewer.
pub fn take<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], CodecError> {
    let (head, tail) = rest.split_at_checked(len).ok_or(CodecError::Length)?;
    *rest = tail;
    Ok(head)
}

/// Takes `N` bytes.
///
/// # Errors
/// If there are fewer.
pub fn take_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], CodecError> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(CodecError::Length)?;
    *rest = tail;
    Ok(*head)
}

/// Takes bytes behind their number, which has 32 bits.
///
/// # Errors
/// If there are fewer.
pub fn take_counted<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], CodecError> {
    let len = take_array(rest).map(u32::from_le_bytes)?;
    take(rest, len as usize)
}

/// Takes a number of variable length.
///
/// # Errors
/// If there is none, or if a `T` does not hold it.
pub fn take_number<T: TryFrom<u64>>(rest: &mut &[u8]) -> Result<T, CodecError> {
    T::try_from(varint::take(rest)?).map_err(|_| CodecError::Number)
}

/// Takes a signed number of variable length.
///
/// # Errors
/// If there is none.
pub fn take_signed(rest: &mut &[u8]) -> Result<i64, CodecError> {
    Ok(varint::take_signed(rest)?)
}

/// Takes a text behind its number of bytes, which has a variable length.
///
/// # Errors
/// If there is none.
pub fn take_text<'a>(rest: &mut &'a [u8]) -> Result<&'a str, CodecError> {
    let len = take_number(rest)?;
    std::str::from_utf8(take(rest, len)?).map_err(|_| CodecError::Text)
}

/// Appends bytes behind their number, which has 32 bits. Assumes that it does: every part of a
/// message comes out of a request of at most [`crate::bounds::MAX_REQUEST_BYTES`].
pub fn put_counted(bytes: &[u8], out: &mut Vec<u8>) {
    put_count(bytes.len(), out);
    out.extend_from_slice(bytes);
}

/// Appends a number of parts. Assumes that it has 32 bits, as [`put_counted`] does.
pub fn put_count(count: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

/// Appends a text behind its number of bytes, which has a variable length.
pub fn put_text(text: &str, out: &mut Vec<u8>) {
    varint::put(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}
