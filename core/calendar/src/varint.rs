//! Numbers of variable length, as the time zone database and the stored formats contain them:
//! LEB128, with seven bits in each byte, the lowest first. Signed numbers are zigzag-coded, so that
//! those near zero are short.

/// Why bytes do not begin with a valid number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VarintError {
    /// The bytes end before the number does.
    Length,
    /// The number has more than 64 bits.
    Number,
}

/// Appends a number.
pub fn put(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number.
pub fn put_signed(value: i64, out: &mut Vec<u8>) {
    put(((value << 1) ^ (value >> 63)).cast_unsigned(), out);
}

/// Reads a number from the front of `rest` and removes it.
///
/// # Errors
/// Returns an error if `rest` does not begin with a number. Then it is unspecified how much of
/// `rest` is removed.
pub fn take(rest: &mut &[u8]) -> Result<u64, VarintError> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, tail) = rest.split_first().ok_or(VarintError::Length)?;
        *rest = tail;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return Err(VarintError::Number);
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(VarintError::Number)
}

/// Reads a signed number from the front of `rest` and removes it.
///
/// # Errors
/// Returns the errors of [`take`].
pub fn take_signed(rest: &mut &[u8]) -> Result<i64, VarintError> {
    take(rest).map(signed)
}

/// Returns the number with this zigzag code.
pub fn signed(zigzag: u64) -> i64 {
    (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_back() {
        for value in [0, 1, 0x7f, 0x80, 300, u64::from(u32::MAX), i64::MAX as u64, u64::MAX] {
            let mut bytes = Vec::new();
            put(value, &mut bytes);
            bytes.push(7);
            let mut rest = bytes.as_slice();
            assert_eq!((take(&mut rest), rest), (Ok(value), [7].as_slice()));
        }
        for value in [0, -1, 1, -64, 64, i64::MIN, i64::MAX] {
            let mut bytes = Vec::new();
            put_signed(value, &mut bytes);
            assert_eq!(take_signed(&mut bytes.as_slice()), Ok(value));
        }
    }

    #[test]
    fn the_bytes_of_a_number_are_these() {
        let mut bytes = Vec::new();
        for value in [0, 127, 128, 300] {
            put(value, &mut bytes);
        }
        for value in [0, -1, 1, -2] {
            put_signed(value, &mut bytes);
        }
        assert_eq!(bytes, [0, 0x7f, 0x80, 1, 0xac, 2, 0, 1, 2, 3]);
    }

    #[test]
    fn truncated_and_too_large_numbers_are_refused() {
        assert_eq!(take(&mut [].as_slice()), Err(VarintError::Length));
        assert_eq!(take(&mut [0x80].as_slice()), Err(VarintError::Length));
        // The tenth byte has only one of the 64 bits.
        let mut bytes = [0xff; 10];
        bytes[9] = 1;
        assert_eq!(take(&mut bytes.as_slice()), Ok(u64::MAX));
        bytes[9] = 2;
        assert_eq!(take(&mut bytes.as_slice()), Err(VarintError::Number));
        assert_eq!(take(&mut [0x80; 11].as_slice()), Err(VarintError::Number));
    }
}
