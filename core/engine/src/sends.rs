//! The results of the last sends of an envelope.

/// The results of the last sends of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sends {
    /// The envelope was sent. The queue has accepted it, or has not answered the first send yet.
    #[default]
    Sent,
    /// The queue has refused this many sends in a row, so the envelope has not left the shard since
    /// then.
    Refused(u32),
    /// After this many refusals, the envelope was sent again, and the queue has not answered yet.
    SentAfter(u32),
    /// The queue has not answered this send or any later one.
    Unanswered,
}

impl Sends {
    /// Returns the number in storage, or `None` for a state that earlier versions did not store.
    pub fn stored(self) -> Option<i64> {
        match self {
            Self::Sent => None,
            Self::Refused(times) => Some(i64::from(times.max(1))),
            Self::SentAfter(times) => Some(-i64::from(times.max(1))),
            Self::Unanswered => Some(0),
        }
    }

    /// Reads a number that [`Self::stored`] returned.
    pub fn from_stored(stored: Option<i64>) -> Self {
        let times = |number: i64| u32::try_from(number.unsigned_abs()).unwrap_or(u32::MAX);
        match stored {
            None => Self::Sent,
            Some(0) => Self::Unanswered,
            Some(number) if number > 0 => Self::Refused(times(number)),
            Some(number) => Self::SentAfter(times(number)),
        }
    }

    /// Returns how often the queue has refused the envelope in a row.
    pub(super) fn refusals(self) -> u32 {
        match self {
            Self::Sent | Self::Unanswered => 0,
            Self::Refused(times) | Self::SentAfter(times) => times,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These numbers never change, because later versions read them.
    #[test]
    fn stored_numbers() {
        for (sends, stored) in [
            (Sends::Sent, None),
            (Sends::Refused(3), Some(3)),
            (Sends::SentAfter(3), Some(-3)),
            (Sends::Unanswered, Some(0)),
        ] {
            assert_eq!((sends.stored(), Sends::from_stored(stored)), (stored, sends));
        }
        assert_eq!(Sends::from_stored(Some(i64::MIN)), Sends::SentAfter(u32::MAX));
        assert_eq!(Sends::from_stored(Some(i64::MAX)), Sends::Refused(u32::MAX));
    }
}
