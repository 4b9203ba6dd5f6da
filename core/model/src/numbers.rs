//! The numbers of stored things. Each kind has its own type, so that they cannot be confused.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! numbers {
    ($($(#[$attribute:meta])* $name:ident($of:ty);)*) => { $(
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[repr(transparent)]
        pub struct $name($of);

        impl $name {
            /// Returns the number with this value.
            #[inline]
            pub const fn new(value: $of) -> Self {
                Self(value)
            }

            /// Returns its value.
            #[inline]
            pub const fn get(self) -> $of {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )* };
}

numbers! {
    /// The number of a page of a shard, from 1. After the last number, 1 follows.
    PageNumber(u32);
    /// The number of a recurring task of a shard, from 1. After the last number, 1 follows.
    ScheduleNumber(u32);
    /// The number of an envelope of a shard, from 1. 0 means that the shard has not fired yet.
    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    EnvelopeSeq(u64);
    /// The number of a lane of a shard, from 1; [`LaneNumber::MAIN`] is the main order. In a
    /// request, the place of a limit's key in its list, from 1.
    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    LaneNumber(u8);
}

impl EnvelopeSeq {
    /// Returns the number of the next envelope.
    #[inline]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl LaneNumber {
    /// The main order, which has the tasks without a limit key.
    pub const MAIN: Self = Self(0);
}
