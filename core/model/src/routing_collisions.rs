//! Ids with equal hashes. Anybody can construct them, so tests do, too.

use super::id_hash;
use std::collections::HashSet;

/// Returns ids of 64 characters with the same xxh64 (seed 0). One of xxh64's four lanes reads bytes
/// 0-7 and 32-39 of such an id. For any first word, there is a second word that brings the lane to
/// the same state. One in a few thousand of these consists of digits and letters.
pub(crate) fn colliding_ids(count: usize) -> Vec<String> {
    const P1: u64 = 0x9E37_79B1_85EB_CA87;
    const P2: u64 = 0xC2B2_AE3D_27D4_EB4F;
    let round = |state: u64, word: u64| {
        state.wrapping_add(word.wrapping_mul(P2)).rotate_left(31).wrapping_mul(P1)
    };
    // The inverse of P2 modulo 2^64, by Newton's iteration.
    let inverse = (0..6).fold(P2, |x, _| x.wrapping_mul(2_u64.wrapping_sub(P2.wrapping_mul(x))));
    let state = |first: &[u8; 8]| round(P1.wrapping_add(P2), u64::from_le_bytes(*first));
    // The sum at the start of the second round, for the id that the others must match.
    let wanted = state(b"00000000").wrapping_add(u64::from_le_bytes(*b"00000000").wrapping_mul(P2));
    let mut ids = Vec::new();
    for n in 0_u64.. {
        let first = format!("{n:08}");
        let Ok(first) = <&[u8; 8]>::try_from(first.as_bytes()) else { break };
        let second = wanted.wrapping_sub(state(first)).wrapping_mul(inverse).to_le_bytes();
        if second.iter().all(u8::is_ascii_graphic)
            && !second.iter().any(|byte| matches!(byte, b'"' | b'\\'))
        {
            let text = [&first[..], &[b'a'; 24], &second[..], &[b'b'; 24]].concat();
            ids.push(String::from_utf8(text).unwrap());
        }
        if ids.len() == count {
            break;
        }
    }
    assert_eq!(
        (ids.len(), ids.iter().map(|id| id_hash(id)).collect::<HashSet<_>>().len()),
        (count, 1)
    );
    ids
}
